"""Whether a job is one that this agent may carry out: the exact bytes, signed by the scheduler, for this agent
alone.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from agent.following import Trust
from agent.identity import Enrolled, Keys
from libs.wire.jobs import Job
from libs.wire.sign import BadSignatureError, Prefix, Signed, verify_any


class NotMandatedError(Exception):
    """The job is not the scheduler's, or not for this agent. Nothing of it is done and nothing is answered."""


@dataclass(frozen=True)
class Mandate:
    """Checks jobs."""

    trust: Trust
    keys: Keys
    enrolled: Enrolled

    def job(self, signed: Signed) -> Job:
        """The job in these bytes.

        Raises:
            NotMandatedError: with what does not fit.
        """
        try:
            job = Job.model_validate_json(verify_any(signed, Prefix.JOB, self.trust.task_keys))
        except BadSignatureError as error:
            raise NotMandatedError(f"not signed by the scheduler: {error}") from error
        except ValidationError as error:
            raise NotMandatedError("signed by the scheduler, but not a job of this version") from error
        if (job.agent, job.resource) != (self.enrolled.agent, self.enrolled.resource):
            raise NotMandatedError(f"for {job.agent} on {job.resource}")
        if self.keys.opens(job.recipient) is None:
            raise NotMandatedError("sealed to another key")
        return job
