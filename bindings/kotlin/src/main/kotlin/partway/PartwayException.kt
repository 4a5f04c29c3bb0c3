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

/** An error of the table that the native side does not throw itself. */
internal fun errorOf(name: String, detail: String): PartwayException {
    val row = errorCodes().first { it.name == name }
    return PartwayException(ErrorInfo(row.code, row.name, row.category, row.disposition, row.remedy, detail))
}
