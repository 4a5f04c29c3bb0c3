package partway.test

import java.io.InputStream
import java.lang.ref.WeakReference
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpHeaders
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.Locale
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import partway.CancelHook
import partway.Category
import partway.Change
import partway.Credential
import partway.CredentialAsk
import partway.FfiConverterTypeCredentialProvider
import partway.FfiConverterTypeListener
import partway.FfiConverterTypeSourceProvider
import partway.FfiConverterTypeSourceReader
import partway.InstantMode
import partway.JavaHttpTransport
import partway.LogLevel
import partway.Network
import partway.NetworkPolicy
import partway.OWN_ERRORS
import partway.NoHandle
import partway.Online
import partway.PartwayException
import partway.Remedy
import partway.RemoteLook
import partway.Secret
import partway.Select
import partway.SignOut
import partway.Source
import partway.SourceReader
import partway.TransportCall
import partway.UploadRequest
import partway.WaitReason
import partway.digests
import partway.ended
import partway.errorCodes
import partway.fd
import partway.file
import partway.key
import partway.reader
import partway.text
import partway.upload
import partway.version

/** What only this language has to show. */
internal val BEYOND: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "nothing_is_held_after_100000_callbacks" to { nothingIsHeld() },
    "errors_are_the_table_of_the_documents" to { errorsAreTheTable() },
    "every_remedy_has_its_text" to { everyRemedyHasItsText() },
    "a_fake_needs_no_native_library" to { aFakeNeedsNoLibrary() },
    "the_quick_start_uploads" to { theQuickStartUploads() },
    "policies_retries_and_looks" to { policiesRetriesAndLooks() },
    "koodrive_with_the_hosts_signatures" to { koodriveWithTheHostsSignatures() },
    "a_descriptor_is_a_source" to { aDescriptorIsASource() },
    "what_a_lambda_throws_is_logged_by_its_class" to { whatALambdaThrowsIsLogged() },
    "an_answer_that_is_cancelled_is_closed" to { anAnswerThatIsCancelledIsClosed() },
    "what_is_no_request_is_malformed" to { whatIsNoRequestIsMalformed() },
    "a_transport_that_throws_is_a_connection_that_broke" to { aTransportThatThrows() },
    "opened_twice_it_is_one_client" to { openedTwiceItIsOneClient() },
    "java_catches_and_a_module_has_its_texts" to { javaCatches() },
    "a_damaged_journal_is_a_problem" to { aDamagedJournalIsAProblem() },
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
    override suspend fun credential(ask: CredentialAsk): Credential = Credential.Token(Secret(token))
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
    for (own in OWN_ERRORS) {
        val row = errorCodes().single { it.code == own.code }
        check(listOf(own.name, own.category, own.disposition, own.remedy) == listOf(row.name, row.category, row.disposition, row.remedy)) { "$own, $row" }
    }
}

private fun World.everyRemedyHasItsText() {
    for (remedy in Remedy.entries) {
        val (english, chinese) = remedy.text(Locale.ENGLISH) to remedy.text(Locale.SIMPLIFIED_CHINESE)
        check(english.isBlank() == (remedy == Remedy.NONE) && chinese.isBlank() == english.isBlank()) { remedy.key }
        check(remedy == Remedy.NONE || english != chinese && chinese.any { it in '一'..'龥' }) { remedy.key }
        check(remedy.text(Locale.FRENCH) == english && remedy.text(Locale.TRADITIONAL_CHINESE) == chinese) { "what is not there is English" }
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
    val start = { api: String -> child("snippet0.Snippet0Kt", api, cloud.library, cloud.token, file.path, folder = folder.root) }
    // A mistyped address is no silence.
    val nobody = java.net.ServerSocket(0).use { "http://127.0.0.1:${it.localPort}" }
    val waits = { child: Process -> child.inputReader().useLines { lines -> lines.first { "waits" in it } }.also { child.destroyForcibly().waitFor() } }
    waits(start(nobody)).let { said -> check(said == "waits (RETRY): PW-3003 connect_failed") { said } }
    // It goes on there, until one begins over.
    waits(start(cloud.api)).let { said -> check(said == "waits (RETRY): PW-3003 connect_failed") { said } }
    check(java.io.File(folder.root, "partway-state").deleteRecursively())
    val child = start(cloud.api)
    val said = child.inputReader().readText().trim()
    check(said == "stored as some-file, $MIB bytes" && child.waitFor() == 0) { said }
    checkStored("first/some-file", file)
}

private suspend fun World.policiesRetriesAndLooks() {
    val file = folder.file("film.mp4", 9 * MIB)
    val client = open()
    check(throws<PartwayException> { client.start(request(file).copy(network = NetworkPolicy.UNMETERED)) }.info.code == 1001) { "it would wait for ever" }
    client.setNetwork(Network(Online.ONLINE, metered = true, generation = 1))
    val upload = client.start(request(file).copy(network = NetworkPolicy.UNMETERED))
    upload.untilWaiting(WaitReason.NETWORK_POLICY)
    check(client.idle().wants == NetworkPolicy.UNMETERED && WaitReason.NETWORK_POLICY in upload.explain()!!.blockedBy)
    cloud.rule(""""step":"part","how":"stall","after_bytes":1000,"after":1""")
    check(client.change(Select.All, Change(network = NetworkPolicy.ANY)) == 1)
    upload.until { it.progress.partsDone == 1 }
    val look = client.lookRemote(upload.id) as RemoteLook.Found
    check(look.task.complete == false && look.task.parts?.size == 1) { "${look.task.parts}" }
    check(client.timelineJson(upload.id)!!.let { "\"journal\"" in it && "film.mp4" !in it && cloud.token !in it })
    client.signOut("me", SignOut.HOLD)
    upload.untilWaiting(WaitReason.CREDENTIAL)
    upload.cancel()
    upload.until { it.state.ended }
    cloud.clearRules()
    client.setCredential("me", Credential.Token(Secret(cloud.token), expiresInMs = 3_600_000))
    val again = upload.retry()
    check(again.id != upload.id && upload.id !in client.uploads.value)
    soon { again.await() }
    checkStored("film.mp4", file)
    check(Source.file(file).digests().sha256 == sha256(file) && version().first().isDigit())
    check(throws<PartwayException> { Source.file(java.io.File(folder.root, "none")).digests() }.info.category == Category.SOURCE)
    check(throws<PartwayException> { Source.file(file).digests(partSizeBytes = -1) }.info.code == 1001)
    check(throws<PartwayException> { client.retry(again.id) }.info.name == "wrong_state")
}

private suspend fun World.aDescriptorIsASource() {
    val file = folder.file("film.mp4", 5 * MIB)
    val fd = com.sun.jna.Function.getFunction("c", "open").invokeInt(arrayOf<Any>(file.path, 0))
    check(fd > 2)
    val client = open()
    val upload = client.start(UploadRequest("fd", target("fd"), Source.fd(fd, owned = true)))
    soon { upload.await() }
    checkStored("fd", file)
    eventually("it is closed") { !java.io.File("/proc/self/fd/$fd").canonicalPath.endsWith("film.mp4") }
    check(throws<PartwayException> { client.start(UploadRequest("no", target("no"), Source.fd(-1, owned = false))) }.info.code == 1001)
    // A range of one that stays ours; it is closed as soon as the start is over.
    val ours = com.sun.jna.Function.getFunction("c", "open").invokeInt(arrayOf<Any>(file.path, 0))
    val range = client.start(UploadRequest("range", target("range"), Source.fd(ours, owned = false, offset = 1000, sizeBytes = 3L * MIB)))
    check(com.sun.jna.Function.getFunction("c", "close").invokeInt(arrayOf<Any>(ours)) == 0)
    soon { range.await() }
    val expected = java.io.File(folder.root, "expected").apply { writeBytes(file.readBytes().copyOfRange(1000, 1000 + 3 * MIB)) }
    checkStored("range", expected)
}

/** A client of the JDK's whose answer is there at once, and which is cancelled while it is being taken. */
private class Answering(private val body: InputStream, private val cancel: () -> Unit) : HttpClient() {
    override fun <T> sendAsync(request: HttpRequest, handler: HttpResponse.BodyHandler<T>): CompletableFuture<HttpResponse<T>> =
        CompletableFuture.completedFuture(object : HttpResponse<T> {
            override fun statusCode() = 200
            override fun request() = request
            override fun previousResponse() = Optional.empty<HttpResponse<T>>()
            override fun headers(): HttpHeaders = HttpHeaders.of(emptyMap()) { _, _ -> true }

            @Suppress("UNCHECKED_CAST")
            override fun body(): T = (body as T).also { cancel() }
            override fun sslSession() = Optional.empty<javax.net.ssl.SSLSession>()
            override fun uri(): URI = request.uri()
            override fun version() = Version.HTTP_1_1
        })

    override fun <T> sendAsync(
        request: HttpRequest, handler: HttpResponse.BodyHandler<T>, push: HttpResponse.PushPromiseHandler<T>?,
    ): CompletableFuture<HttpResponse<T>> = sendAsync(request, handler)

    override fun <T> send(request: HttpRequest, handler: HttpResponse.BodyHandler<T>): HttpResponse<T> = sendAsync(request, handler).get()
    override fun cookieHandler() = Optional.empty<java.net.CookieHandler>()
    override fun connectTimeout() = Optional.empty<java.time.Duration>()
    override fun followRedirects() = Redirect.NEVER
    override fun proxy() = Optional.empty<java.net.ProxySelector>()
    override fun sslContext(): javax.net.ssl.SSLContext = javax.net.ssl.SSLContext.getDefault()
    override fun sslParameters() = javax.net.ssl.SSLParameters()
    override fun authenticator() = Optional.empty<java.net.Authenticator>()
    override fun version() = Version.HTTP_1_1
    override fun executor() = Optional.empty<java.util.concurrent.Executor>()
}

/** Else its reader stays for as long as the server likes. */
private fun anAnswerThatIsCancelledIsClosed() {
    val (closed, over) = CountDownLatch(1) to CountDownLatch(1)
    val body = object : InputStream() {
        // Nothing comes before it is closed.
        override fun read(): Int = closed.await().let { throw java.io.IOException("closed") }
        override fun close() = closed.countDown()
    }
    var kept: CancelHook? = null
    val call = object : TransportCall(NoHandle) {
        override fun request() = partway.HttpRequest("GET", Secret("http://localhost/"), emptyList(), false, 1_000, 1_000)
        override fun bodyLen() = 0L
        override fun onCancel(hook: CancelHook) = Unit.also { kept = hook }
        override fun respond(response: partway.HttpResponse) = true.also { over.countDown() }
        override fun fail(fault: partway.TransportFault) = true.also { over.countDown() }
    }
    // Once, between the answer and its being known to the hook.
    JavaHttpTransport(Answering(body) { kept?.also { kept = null }?.cancelled() }).execute(call)
    check(over.await(60, TimeUnit.SECONDS)) { "it is still read" }
}

private fun whatIsNoRequestIsMalformed() {
    for ((url, header) in listOf("http://[" to "fine", "no scheme" to "fine", "http://localhost/" to "not a\nvalue")) {
        val said = ArrayList<partway.TransportFault>()
        val call = object : TransportCall(NoHandle) {
            override fun request() = partway.HttpRequest("GET", Secret(url), listOf(partway.HttpHeader("a", Secret(header))), false, 1_000, 1_000)
            override fun bodyLen() = 0L
            override fun onCancel(hook: CancelHook) = Unit
            override fun fail(fault: partway.TransportFault) = true.also { said += fault }
        }
        JavaHttpTransport().execute(call)
        check(said == listOf(partway.TransportFault.MALFORMED) && call.uniffiIsDestroyed) { "$url: $said" }
    }
}

private suspend fun World.aTransportThatThrows() {
    val calls = java.util.concurrent.ConcurrentLinkedQueue<TransportCall>()
    val over = JavaHttpTransport()
    val client = open {
        transport(object : partway.Transport {
            override fun execute(call: TransportCall) {
                // The first ones, in both ways.
                if (calls.size >= 2) return over.execute(call)
                calls += call
                if (calls.size == 1) throw java.io.IOException("canary-token") else throw NotImplementedError("canary-token")
            }
        })
    }
    val file = folder.file("film.mp4", 5 * MIB)
    val upload = client.start(request(file))
    val waiting = upload.untilWaiting(WaitReason.RETRY).waiting
    check(waiting.error!!.name == "connection_cut" && "canary" !in waiting.error.detail) { "$waiting" }
    soon { upload.await() }
    checkStored("film.mp4", file)
    check(calls.size == 2 && calls.all(TransportCall::uniffiIsDestroyed)) { "who throws has nothing to answer any more" }
}

private fun World.javaCatches() {
    java.io.File(folder.root, "a-file").writeText("no folder")
    val codes = listOf("state_dir_unusable") + List(4) { "unknown_upload" } + List(3) { "invalid_argument" } + "closed"
    val expected = codes + listOf("in a module", Remedy.SIGN_IN_AGAIN.text(Locale.ENGLISH))
    val child = child("partway.test.FromJava", folder.root.path, modules = listOf("partway.jar", "kotlin-stdlib.jar", "kotlinx-coroutines-core-jvm.jar"))
    val said = child.inputReader().readLines()
    check(child.waitFor() == 0 && said == expected) { "$said" }
}

private suspend fun World.aDamagedJournalIsAProblem() {
    val client = open { autostart = false }
    val uploads = List(2) { client.start(request(folder.file("file$it", 64 shl 10))) }
    check(client.problems.isEmpty() && client.close(30_000))
    val journal = folder.state.walk().single { it.isFile && uploads[0].id in it.name }
    journal.writeBytes(journal.readBytes().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() } + "\n".toByteArray())
    val next = open()
    val problem = next.problems.single()
    check(problem.id == uploads[0].id && problem.error.name == "journal_corrupt") { "$problem" }
    check(next.snapshot(uploads[0].id) == null) { "it is set aside" }
    soon { next.upload(uploads[1].id).await() }
    checkStored("file1", java.io.File(folder.root, "file1"))
}

private suspend fun World.whatALambdaThrowsIsLogged() {
    val lines = java.util.concurrent.ConcurrentLinkedQueue<String>()
    val client = open {
        token { _, _ -> throw java.io.IOException("canary-token") }
        log(LogLevel.DEBUG) { level, target, line -> lines += "$level $target: $line" }
    }
    client.start(request(folder.file("canary-name", MIB))).untilWaiting(WaitReason.CREDENTIAL)
    eventually("it is logged") { lines.any { "java.io.IOException" in it } && lines.size > 3 }
    check(lines.none { "canary" in it }) { "$lines" }
}

private suspend fun World.openedTwiceItIsOneClient() {
    val client = open()
    check(open() === client)
    client.close(30_000)
    check(open() !== client)
}

private suspend fun World.koodriveWithTheHostsSignatures() {
    val signed = AtomicInteger()
    val client = open {
        credentials { ask ->
            check(ask.service() == partway.Service.KOO_DRIVE)
            Credential.AppSigner("sandbox-app", "1505084218764547200")
        }
        signer { ask ->
            // What a server of the app's own does.
            signed.incrementAndGet()
            val mac = javax.crypto.Mac.getInstance("HmacSHA256")
            mac.init(javax.crypto.spec.SecretKeySpec("sandbox-app-secret".toByteArray(), "HmacSHA256"))
            mac.doFinal(ask.stringToSign().toByteArray()).joinToString("") { "%02x".format(it) }
        }
    }
    val file = folder.file("film.mp4", 12 * MIB)
    val target = partway.KooDrive(cloud.api, "me", cloud.container, "root", "film.mp4")
    val receipt = soon { client.start(UploadRequest("koo", target, Source.file(file))).await() }
    check(receipt.sha256 == sha256(file)) { "$receipt" }
    // One signature for each request of the control plane, none for a part.
    val controls = listOf("begin", "renew", "confirm").sumOf(cloud::steps)
    check(controls >= 2 && signed.get() == controls) { "signed ${signed.get()} of $controls: ${cloud.log().map { it["step"] }}" }
}
