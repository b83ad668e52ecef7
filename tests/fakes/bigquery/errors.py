"""Errors as BigQuery answers them: {"error": {"code", "message", "errors": [{"reason", "message"}], "status"}}.

Source: Google's "Error messages" page (reason, HTTP code), collected in the project's facts as section C4.
"""

# reason: (HTTP code, canonical status)
REASONS = {
    "accessDenied": (403, "PERMISSION_DENIED"), "authError": (401, "UNAUTHENTICATED"), "backendError": (503, "UNAVAILABLE"),
    "badGateway": (502, "UNAVAILABLE"), "badRequest": (400, "INVALID_ARGUMENT"), "billingNotEnabled": (403, "PERMISSION_DENIED"),
    "billingTierLimitExceeded": (400, "INVALID_ARGUMENT"), "blocked": (403, "PERMISSION_DENIED"),
    "bytesBilledLimitExceeded": (400, "INVALID_ARGUMENT"), "conditionNotMet": (412, "FAILED_PRECONDITION"), "duplicate": (409, "ALREADY_EXISTS"),
    "internalError": (500, "INTERNAL"), "invalid": (400, "INVALID_ARGUMENT"), "invalidParameter": (400, "INVALID_ARGUMENT"),
    "invalidQuery": (400, "INVALID_ARGUMENT"), "invalidUser": (400, "INVALID_ARGUMENT"), "jobBackendError": (400, "INVALID_ARGUMENT"),
    "jobInternalError": (400, "INVALID_ARGUMENT"), "jobRateLimitExceeded": (400, "INVALID_ARGUMENT"), "notFound": (404, "NOT_FOUND"),
    "notImplemented": (501, "UNIMPLEMENTED"), "quotaExceeded": (403, "RESOURCE_EXHAUSTED"), "rateLimitExceeded": (403, "RESOURCE_EXHAUSTED"),
    "required": (400, "INVALID_ARGUMENT"), "resourceInUse": (400, "FAILED_PRECONDITION"), "resourcesExceeded": (400, "RESOURCE_EXHAUSTED"),
    "responseTooLarge": (403, "PERMISSION_DENIED"), "stopped": (200, "CANCELLED"), "tableUnavailable": (400, "UNAVAILABLE"),
    "timeout": (400, "DEADLINE_EXCEEDED"),
}


class ApiError(Exception):
    """What a call or a job ends with. `code` overrides the reason's usual HTTP code."""

    def __init__(self, reason, message, code=None, location=""):
        super().__init__(message)
        self.reason, self.message, self.location = reason, message, location
        self.code = code or REASONS.get(reason, (400, ""))[0]

    def proto(self):
        found = {"reason": self.reason, "message": self.message}
        if self.location:
            found["location"] = self.location
        return found

    def body(self):
        return {"error": {"code": self.code, "message": self.message, "errors": [{"domain": "global", **self.proto()}],
                          "status": REASONS.get(self.reason, (400, "UNKNOWN"))[1]}}


def not_found(kind, name):
    return ApiError("notFound", f"Not found: {kind} {name}")


def invalid(message):
    return ApiError("invalid", message)


def bad_query(message, at=None):
    """`at`: (line, column), both from 1."""
    return ApiError("invalidQuery", f"{message} at [{at[0]}:{at[1]}]" if at else message, location="query")


def not_in_subset(what, at=None):
    """Real BigQuery may know it; the portable subset of sql_text.py does not."""
    return bad_query(f"not in the fake's subset: {what}", at)
