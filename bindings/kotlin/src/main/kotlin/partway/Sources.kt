package partway

import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** A file of this device; it is looked at when the upload starts. `deleteAtEnd`: it is a copy made for this upload, removed at the end, also after a kill. */
fun Source.Companion.file(file: File, token: ByteArray = ByteArray(0), deleteAtEnd: Boolean = false): Source =
    Source(SourceWhat.Path(file.path, deleteAtEnd), token)

/**
 * A regular file that is open for reading, or [sizeBytes] of it from [offset] on (to its end without it). `owned`: its descriptor is the library's from here on and
 * closed by it, such as that of `detachFd`, also when the start is refused; else it stays yours, and is duplicated before [PartwayClient.start] returns.
 */
fun Source.Companion.fd(fd: Int, owned: Boolean, token: ByteArray = ByteArray(0), offset: Long = 0, sizeBytes: Long? = null): Source =
    Source(SourceWhat.Fd(fd, owned, offset, sizeBytes), token)

/** Bytes in memory, at most 8 MiB; copied when the upload starts. They do not outlive the client: after a restart the source is asked for. */
fun Source.Companion.memory(bytes: ByteArray, token: ByteArray = ByteArray(0)): Source = Source(SourceWhat.Memory(bytes), token)

/**
 * Bytes that [reader] reads: on threads of the library, several at once where it says that it is `concurrent`, and in [PartwayClient.start] on the one of that call. It
 * may block, must not call the client, and stays yours: it is kept until its upload ends or the client is closed, and nobody closes it. What it throws is a source that
 * can't be read: the upload waits.
 */
fun Source.Companion.reader(reader: SourceReader, token: ByteArray = ByteArray(0)): Source =
    Source(SourceWhat.Reader(GuardedReader(reader)), token)

/** Asked for when its turn comes, by the coroutine that was given to [PartwayOptions.sources]. */
fun Source.Companion.later(token: ByteArray): Source = Source(SourceWhat.Later, token)

/**
 * Reads the source once, on `Dispatchers.IO`, and suspends until that is over, also when it is cancelled: its digests, and where SHA-256 stands at each multiple of
 * [partSizeBytes] (itself one of 64). Throws [PartwayException]; the generated `digest` is the same call, blocking, with the native exception.
 */
suspend fun Source.digests(partSizeBytes: Long? = null): Digests = withContext(Dispatchers.IO) { thrown { digest(this@digests, partSizeBytes) } }

/** Whatever the host's own code throws, errors included, becomes what the native side understands. */
private class GuardedReader(private val reader: SourceReader) : SourceReader {
    override fun lengthBytes(): Long = guarded { reader.lengthBytes() }

    override fun readAt(offset: Long, bytesMax: Int): ByteArray = guarded { reader.readAt(offset, bytesMax) }

    override fun concurrent(): Boolean = guarded { reader.concurrent() }
}

/** The words of what was thrown can hold anything, so only its class is told. */
internal inline fun <T> guarded(call: () -> T): T = try {
    call()
} catch (e: HostException) {
    throw e
} catch (e: Throwable) {
    throw HostException.Failed("the host's own code threw ${e.javaClass.name}")
}
