"""What goes wrong in a lab.

LabError            permanent: the sentence says what the machine or the caller has to change
└── LabInUseError   retryable: a living process holds the lab of this folder
"""


class LabError(Exception):
    pass


class LabInUseError(LabError):
    pass
