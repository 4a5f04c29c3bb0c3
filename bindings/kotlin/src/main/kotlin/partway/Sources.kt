package partway

import java.io.File

/** A file of this device. `deleteAtEnd`: it is a copy made for this upload, removed at the end, also after a kill. */
fun Source.Companion.file(file: File, token: ByteArray = ByteArray(0), deleteAtEnd: Boolean = false): Source =
    Source(SourceWhat.Path(file.path, deleteAtEnd), token)

/** A regular file that is open for reading. `owned`: its descriptor is the library's from here on, such as that of `detachFd`; else it is duplicated at once. */
fun Source.Companion.fd(fd: Int, owned: Boolean, token: ByteArray = ByteArray(0)): Source = Source(SourceWhat.Fd(fd, owned), token)

/** Bytes in memory, at most 8 MiB. */
fun Source.Companion.memory(bytes: ByteArray, token: ByteArray = ByteArray(0)): Source = Source(SourceWhat.Memory(bytes), token)

/** Bytes that [reader] reads. */
fun Source.Companion.reader(reader: SourceReader, token: ByteArray = ByteArray(0)): Source =
    Source(SourceWhat.Reader(GuardedReader(reader)), token)

/** Asked for when its turn comes: see [PartwayOptions.sources]. */
fun Source.Companion.later(token: ByteArray): Source = Source(SourceWhat.Later, token)

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
