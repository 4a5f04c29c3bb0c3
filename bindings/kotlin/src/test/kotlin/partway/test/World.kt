package partway.test

import java.io.File
import java.security.MessageDigest
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import partway.InstantMode
import partway.Partway
import partway.PartwayClient
import partway.PartwayOptions
import partway.SmhMode
import partway.Snapshot
import partway.Source
import partway.State
import partway.Target
import partway.Transport
import partway.Upload
import partway.UploadRequest
import partway.WaitReason
import partway.file

/** What a scenario stands on: the cloud, a folder, a way to open clients, the transport that is tested. */
internal class World(val cloud: Cloud, private val transport: () -> Transport?) : AutoCloseable {
    val folder = Folder()
    private val clients = ArrayList<PartwayClient>()

    /** So that nothing of ours keeps them either. */
    fun forgetClients() = clients.clear()

    suspend fun open(state: File = folder.state, configure: PartwayOptions.() -> Unit = {}): PartwayClient = Partway.open(state) {
        token { _, _ -> cloud.token }
        transport()?.let(::transport)
        limits(parallelParts = 4)
        configure()
    }.also(clients::add)

    fun target(path: String, mode: SmhMode = SmhMode.MULTIPART): Target.Smh =
        Target.Smh(cloud.api, "me", cloud.library, "-", path, mode = mode, createParents = true)

    /** Sent whatever the cloud has: recognising content is a scenario of its own. */
    fun request(file: File, path: String = file.name): UploadRequest =
        UploadRequest(path, target(path), Source.file(file), instant = InstantMode.OFF)

    /** The one object of this path, by the SHA-256 that the cloud computed. */
    fun stored(path: String): String? = cloud.objects().filter { (it["path"] as List<*>).joinToString("/") == path }.also { check(it.size <= 1) { "$it" } }
        .firstOrNull()?.get("sha256") as String?

    fun checkStored(path: String, file: File) = check(stored(path) == sha256(file)) { "$path is not what was sent" }

    override fun close() {
        clients.forEach(PartwayClient::close)
        folder.close()
    }
}

internal fun sha256(file: File): String = MessageDigest.getInstance("SHA-256").digest(file.readBytes()).joinToString("") { "%02x".format(it) }

/** As long as anything may take before a test fails. */
internal suspend fun <T> soon(block: suspend () -> T): T = withTimeout(60.seconds) { block() }

internal suspend fun Upload.until(what: (Snapshot) -> Boolean): Snapshot = soon { snapshots.first(what) }

internal suspend fun Upload.untilWaiting(reason: WaitReason): State.Waiting =
    until { (it.state as? State.Waiting)?.waiting?.reason == reason }.state as State.Waiting

/** Waits for something that nobody announces. */
internal suspend fun eventually(what: String, holds: () -> Boolean) {
    val end = System.nanoTime() + 60_000_000_000
    while (!holds()) {
        check(System.nanoTime() < end) { "never: $what" }
        kotlinx.coroutines.delay(10)
    }
}

internal inline fun <reified E : Throwable> throws(block: () -> Unit): E {
    try {
        block()
    } catch (e: Throwable) {
        if (e is E) return e
        throw e
    }
    error("${E::class.simpleName} was to be thrown")
}

internal const val MIB = 1 shl 20
