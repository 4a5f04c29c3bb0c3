package partway.test

import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import partway.Credential
import partway.CredentialAsk
import partway.CredentialProvider
import partway.Idle
import partway.Listener
import partway.NativeClient
import partway.NativeConfig
import partway.Secret
import partway.Snapshot
import partway.State
import partway.ended

/** A host on the generated face itself, whose listener throws whatever it is told: an exception, then an error, and so on. */
internal class RawHost(private val token: String) : CredentialProvider, Listener {
    val threw = AtomicInteger()

    init {
        // What an error, not an exception, comes to at this level; without this it is printed.
        com.sun.jna.Native.setCallbackExceptionHandler { _, _ -> }
    }

    fun open(state: File): NativeClient = NativeClient.open(NativeConfig(state.path, this, listener = this))

    override fun provide(ask: CredentialAsk) = ask.use { it.supply(Credential.Token(Secret(token))) }

    override fun onChanges(changes: List<Snapshot>) {
        if (threw.incrementAndGet() % 2 == 1) throw IllegalStateException("a listener that throws")
        throw NotImplementedError("a listener that throws an error")
    }

    override fun onForgotten(ids: List<String>) = throw IllegalStateException("forgotten")

    override fun onIdle(idle: Idle) = throw IllegalArgumentException("idle")
}

/** A host on the generated face itself, which notes all that it is told: of which upload which state; none when it was forgotten. */
internal class NotingHost(private val token: String) : CredentialProvider, Listener {
    private val told = ConcurrentLinkedQueue<Pair<String, State?>>()

    fun open(state: File): NativeClient = NativeClient.open(NativeConfig(state.path, this, listener = this))

    fun of(id: String): List<State?> = told.filter { it.first == id }.map { it.second }

    /** As often as they were told. */
    val endings: List<String>
        get() = told.filter { it.second?.ended == true }.map { it.first }.sorted()

    val forgotten: List<String>
        get() = told.filter { it.second == null }.map { it.first }.sorted()

    override fun provide(ask: CredentialAsk) = ask.use { it.supply(Credential.Token(Secret(token))) }

    override fun onChanges(changes: List<Snapshot>) = changes.forEach { told += it.id to it.state }

    override fun onForgotten(ids: List<String>) = ids.forEach { told += it to null }

    override fun onIdle(idle: Idle) = Unit
}
