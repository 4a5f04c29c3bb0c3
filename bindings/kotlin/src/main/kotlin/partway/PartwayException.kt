package partway

import java.io.IOException

/**
 * Whatever did not work. Compare [info]'s code, show people the text of its remedy ([text]), log the message: no token, URL, path or name is in it.
 */
class PartwayException(val info: ErrorInfo) : IOException("${info.logLine}: ${info.detail}")

/** The upload was cancelled. No `CancellationException`: that would quietly cancel the scope that waits. */
class UploadCancelledException(
    /** What could be undone at the service. */
    val remote: Remote,
) : IOException("the upload was cancelled")

/** One line for a log: number, name, status, the service's word and its request id. */
val ErrorInfo.logLine: String
    get() = listOfNotNull(
        "PW-$code $name",
        httpStatus?.let { "http=$it" },
        serviceCode?.let { "service=$it" },
        requestId?.let { "request=$it" },
    ).joinToString(" ")

/** The same call with the one exception of this library. */
internal inline fun <T> thrown(call: () -> T): T = try {
    call()
} catch (e: NativeException.Failed) {
    throw PartwayException(e.info)
}

/** Errors of the table that this side throws itself. Written down, so that a fake needs no native library. */
internal val OWN_ERRORS: List<ErrorInfo> = listOf(
    ErrorInfo(1004, "unknown_upload", Category.USAGE, Disposition.FINAL, Remedy.NONE, "there is no upload of that id"),
    ErrorInfo(6002, "closed", Category.LIFECYCLE, Disposition.RETRY, Remedy.NONE, "the client is closed"),
    ErrorInfo(6004, "wrong_state", Category.LIFECYCLE, Disposition.FINAL, Remedy.NONE, "the upload is not in a state for that"),
)

internal fun unknownUpload() = PartwayException(OWN_ERRORS[0])

internal fun closedError() = PartwayException(OWN_ERRORS[1])

internal fun wrongState() = PartwayException(OWN_ERRORS[2])
