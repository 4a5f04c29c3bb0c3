package partway.test

import java.lang.ref.WeakReference
import java.util.Locale
import java.util.concurrent.atomic.AtomicInteger
import partway.Credential
import partway.FfiConverterTypeCredentialProvider
import partway.FfiConverterTypeListener
import partway.FfiConverterTypeSourceProvider
import partway.FfiConverterTypeSourceReader
import partway.InstantMode
import partway.Remedy
import partway.Secret
import partway.Source
import partway.SourceReader
import partway.UploadRequest
import partway.errorCodes
import partway.key
import partway.reader
import partway.text

/** What only this language has to show. */
internal val BEYOND: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "nothing_is_held_after_100000_callbacks" to { nothingIsHeld() },
    "errors_are_the_table_of_the_documents" to { errorsAreTheTable() },
    "every_remedy_has_its_text" to { everyRemedyHasItsText() },
    "a_fake_needs_no_native_library" to { aFakeNeedsNoLibrary() },
    "the_quick_start_uploads" to { theQuickStartUploads() },
    "secrets_are_not_printed" to { secretsAreNotPrinted() },
)

private const val CALLBACKS = 100_000
private const val BYTES_A_READ = 64

/** Gives little at a time, so that it is called often. */
private class Drops(private val bytes: ByteArray, private val reads: AtomicInteger) : SourceReader {
    override fun lengthBytes() = bytes.size.toLong()

    override fun readAt(offset: Long, bytesMax: Int): ByteArray {
        reads.incrementAndGet()
        return bytes.copyOfRange(offset.toInt(), minOf(bytes.size, offset.toInt() + minOf(bytesMax, BYTES_A_READ)))
    }

    override fun concurrent() = true
}

private suspend fun World.nothingIsHeld() {
    val reads = AtomicInteger()
    val before = held()
    val hosts = ArrayList<WeakReference<Any>>()
    run {
        var reader: Drops? = Drops(content(CALLBACKS * BYTES_A_READ, 1), reads)
        hosts += WeakReference<Any>(reader)
        val tokens = Tokens(cloud.token)
        hosts += WeakReference<Any>(tokens)
        val client = open { credentials(tokens) }
        val upload = client.start(UploadRequest("drops", target("drops"), Source.reader(reader!!), instant = InstantMode.OFF))
        reader = null
        upload.until { it.progress.bytesAcknowledged == it.progress.bytesTotal && it.progress.bytesTotal > 0 }
        soon { upload.await() }
        check(client.close(30_000))
    }
    check(reads.get() >= CALLBACKS) { "${reads.get()} callbacks" }
    println("        ${reads.get()} reads")
    // The handles that the native side holds, and what stands behind them.
    eventually("every handle is given back") { held() == before }
    forgetClients()
    eventually("no host object outlives its client") {
        System.gc()
        hosts.all { it.get() == null }
    }
}

private class Tokens(private val token: String) : partway.CredentialSource {
    override suspend fun credential(account: String, service: partway.Service, why: partway.Why): Credential = Credential.Token(Secret(token))
}

private fun held(): List<Int> = listOf(
    FfiConverterTypeListener.handleMap.size,
    FfiConverterTypeCredentialProvider.handleMap.size,
    FfiConverterTypeSourceProvider.handleMap.size,
    FfiConverterTypeSourceReader.handleMap.size,
)

private fun World.errorsAreTheTable() {
    val row = Regex("""^\| (\d+) \| `(\w+)` \| (\w+) \| (\w+) \| (.*) \|$""")
    val documented = java.io.File(System.getProperty("partway.root"), "docs/errors.md").readLines().mapNotNull { row.matchEntire(it)?.groupValues?.drop(1) }
    val ours = errorCodes().map { listOf("${it.code}", it.name, it.disposition.name.lowercase(), it.remedy.key, it.meaning) }
    check(documented.size > 40 && documented == ours) { "${documented - ours.toSet()} ${ours - documented.toSet()}" }
}

private fun World.everyRemedyHasItsText() {
    for (remedy in Remedy.entries) {
        val (english, chinese) = remedy.text(Locale.ENGLISH) to remedy.text(Locale.SIMPLIFIED_CHINESE)
        check(english.isBlank() == (remedy == Remedy.NONE) && chinese.isBlank() == english.isBlank()) { remedy.key }
        check(remedy == Remedy.NONE || english != chinese && chinese.any { it in '一'..'龥' }) { remedy.key }
        check(remedy.text(Locale.FRENCH) == english) { "what is not there is English" }
    }
}

private fun World.aFakeNeedsNoLibrary() {
    val child = child("partway.test.FakedKt", without = "jna")
    check(child.inputReader().readText().trim() == "faked" && child.waitFor() == 0)
}

private fun World.secretsAreNotPrinted() {
    val canary = "canary-token"
    val printed = "${Secret(canary)} ${Credential.Token(Secret(canary))} ${Credential.AppKey("app", Secret(canary), "user")}"
    check(canary !in printed) { printed }
    check(Secret(canary) == Secret(canary) && Secret(canary) != Secret("other"))
}

private fun World.theQuickStartUploads() {
    val file = folder.file("some-file", MIB)
    val child = child("snippet0.Snippet0Kt", cloud.api, cloud.library, cloud.token, file.path)
    val said = child.inputReader().readText().trim()
    check(said == "stored as some-file, $MIB bytes" && child.waitFor() == 0) { said }
    checkStored("first/some-file", file)
}
