"""What schemathesis cannot know of /work: whether its answer is the one that was asked for."""

import schemathesis


@schemathesis.check
def work_fails_only_as_asked(ctx, response, case):
    """A status of 5xx was asked for by status, error_rate or abort; 503 has a reason as well."""
    if case.operation.path != "/work" or response.status_code < 500:
        return
    body = case.body if isinstance(case.body, dict) else {}
    asked = {**(case.query or {}), **body}
    wishes = {"status", "error_rate", "abort"} & asked.keys()
    assert wishes, f"{response.status_code}, and nothing asked for a failure: {asked}"
