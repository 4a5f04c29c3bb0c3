package partway.test

import java.io.ByteArrayInputStream
import java.io.File
import java.net.http.HttpClient
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withContext
import partway.Category
import partway.InstantMode
import partway.JavaHttpTransport
import partway.PartwayOptions
import partway.Source
import partway.State
import partway.Target
import partway.Transport
import partway.UploadRequest
import partway.ended
import partway.file

/** The cases of tests/transports.txt, which every transport in every language comes through: each by each transport, over http and over https. */
internal val TRANSPORTS: Map<String, suspend () -> Unit> = Carrier.entries.flatMap { carrier ->
    listOf(
        "transports $carrier, http" to suspend { comesThrough(carrier, tls = false) },
        "transports $carrier, https" to suspend { comesThrough(carrier, tls = true) },
        "transports $carrier, unknown authority" to suspend { refusesAnUnknownAuthority(carrier) },
    )
}.toMap()

/** Cases at once: they wait more than they work. */
private const val AT_ONCE = 4

/** Who carries the requests, and alone knows whom to trust. */
internal enum class Carrier(private val words: String) {
    BUILT_IN("built in"),
    JAVA_HTTP("over java.net.http");

    fun trusting(pem: String?, options: PartwayOptions): Transport? = when (this) {
        BUILT_IN -> null.also { options.extraCaPem = pem }
        JAVA_HTTP -> JavaHttpTransport(if (pem == null) JavaHttpTransport.standard() else trusting(pem))
    }

    override fun toString() = words
}

private fun trusting(pem: String): HttpClient {
    val authority = CertificateFactory.getInstance("X.509").generateCertificate(ByteArrayInputStream(pem.toByteArray()))
    val known = KeyStore.getInstance(KeyStore.getDefaultType()).apply { load(null) }
    known.setCertificateEntry("sandbox", authority)
    val managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(known) }.trustManagers
    val context = SSLContext.getInstance("TLS").apply { init(null, managers, null) }
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).followRedirects(HttpClient.Redirect.NEVER).sslContext(context).build()
}

/** A line of the list. */
private class Case(line: String) {
    private val fields = line.split(" | ").also { check(it.size in 4..5) { line } }
    val name = "${fields[0]} at ${fields[1]}"
    val isSmh = fields[1] == "smh"
    val rules = fields[3]
    val counts: Map<String, IntRange> = fields[2].split(" ").associate { field ->
        val (what, bounds) = field.split("=")
        val (least, most) = if (".." in bounds) bounds.split("..") else listOf(bounds, bounds)
        what to least.toInt()..most.toInt()
    }

    init {
        check(isSmh || fields[1] == "koodrive") { line }
    }
}

private fun cases(): List<Case> =
    File(System.getProperty("partway.root"), "tests/transports.txt").readLines().filter { it.isNotBlank() && !it.startsWith("#") }.map(::Case)

private suspend fun comesThrough(carrier: Carrier, tls: Boolean) = coroutineScope {
    val places = Semaphore(AT_ONCE)
    val failed = cases().map { case ->
        async(Dispatchers.IO) {
            places.withPermit { runCatching { comesThrough(case, carrier, tls) }.exceptionOrNull()?.let { "${case.name}: ${it.stackTraceToString()}" } }
        }
    }.also { check(it.size > 20) }.awaitAll().filterNotNull()
    check(failed.isEmpty()) { "${failed.size} cases failed\n${failed.joinToString("\n")}" }
}

private suspend fun comesThrough(case: Case, carrier: Carrier, tls: Boolean) = withContext(Dispatchers.IO) {
    Cloud(tls).use { cloud ->
        val asked = AtomicInteger()
        World(cloud) { null }.use { world ->
            // One that was refused is not taken again.
            val tokens = if (case.isSmh) listOf(cloud.token, "fresh-token") else listOf(cloud.kooDriveToken, "Bearer fresh-token")
            cloud.tokens(""""add":"${tokens[1]}"${if (case.isSmh) "" else ""","service":"koodrive""""}""")
            cloud.rules(case.rules.replace("{data}", cloud.data))
            val size = if (case.isSmh) 9 * MIB + 5 else 12 * MIB
            val file = world.folder.file("photo.jpg", size)
            val client = world.open {
                token { _, _ -> tokens[asked.getAndIncrement().coerceAtMost(1)] }
                carrier.trusting(cloud.caFile?.readText(), this)?.let(::transport)
            }
            val target = if (case.isSmh) world.target("photo.jpg") else Target.KooDrive(cloud.api, "me", cloud.container, "root", "photo.jpg")
            val request = UploadRequest(
                "photo", target, Source.file(file), instant = InstantMode.OFF, partSizeBytes = if (case.isSmh) 1L * MIB else 5L * MIB,
            )
            val receipt = soon { client.start(request).await() }
            check(receipt.sizeBytes == size.toLong()) { "$receipt" }
            check(cloud.objects().size == 1) { "${cloud.objects()}" }
            check(cloud.objects().single().let { (it["path"] as List<*>).last() == "photo.jpg" && it["sha256"] == sha256(file) }) { "${cloud.objects()}" }
            val log = cloud.log().joinToString("\n") { line -> listOf("seq", "step", "part", "status", "rule", "body_bytes").map(line::get).joinToString(" ") }
            cloud.rules().forEach { check((it["seen"] as Double) > (it["after"] as Double)) { "never met: $it\n$log" } }
            check(cloud.steps("any") == 0) { "a request went elsewhere\n$log" }
            for ((what, bounds) in case.counts) {
                val count = if (what == "credential") asked.get() else cloud.steps(what)
                check(count in bounds) { "$what: $count, not $bounds\n$log" }
            }
        }
    }
}

private suspend fun refusesAnUnknownAuthority(carrier: Carrier) = withContext(Dispatchers.IO) {
    Cloud(tls = true).use { cloud ->
        Cloud(tls = true).use { other ->
            for (pem in listOf(null, other.caFile!!.readText())) {
                World(cloud) { null }.use { world ->
                    val client = world.open { carrier.trusting(pem, this)?.let(::transport) }
                    val upload = client.start(world.request(world.folder.file("photo.jpg", MIB)))
                    val waiting = (upload.until { it.state.ended || (it.state as? State.Waiting)?.waiting?.error != null }.state as State.Waiting).waiting
                    check(waiting.error!!.category == Category.NETWORK) { "$waiting" }
                    check(cloud.log().isEmpty() && cloud.objects().isEmpty()) { "${cloud.log()}" }
                }
            }
        }
    }
}
