package partway.test

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.TimeUnit

/** `partway sandbox --json` as a process. */
internal class Cloud(tls: Boolean = false) : AutoCloseable {
    private val process = ProcessBuilder(listOf(System.getProperty("partway.command"), "sandbox", "--json") + if (tls) listOf("--tls") else emptyList())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val addresses = Json.map(process.inputReader().readLine())
    private val http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()

    val api: String = addresses["api"] as String
    val library: String = addresses["library"] as String
    val token: String = addresses["token"] as String
    val data: String = addresses["data"] as String
    val container: String = (addresses["koodrive"] as Map<*, *>)["container"] as String
    val kooDriveToken: String = (addresses["koodrive"] as Map<*, *>)["token"] as String

    /** Whom to trust, with TLS. */
    val caFile: File? = (addresses["ca_file"] as String?)?.let(::File)
    private val control: String = addresses["control"] as String

    fun reset() = Unit.also { post("/reset", "") }

    /** A rule of the sandbox, such as `"step":"part","how":"stall"`. */
    fun rule(fields: String) = Unit.also { post("/rules", "{$fields}") }

    /** An array of them. */
    fun rules(rules: String) = Unit.also { post("/rules", rules) }

    fun rules(): List<Map<String, Any?>> = Json.list(call("GET", "/rules", ""))

    fun clearRules() = Unit.also { call("DELETE", "/rules", "") }

    fun tokens(fields: String) = Unit.also { post("/tokens", "{$fields}") }

    fun objects(): List<Map<String, Any?>> = Json.list(call("GET", "/objects", ""))

    /** What was asked: the steps, in order. */
    fun log(): List<Map<String, Any?>> = Json.list(call("GET", "/log", ""))

    fun steps(step: String): Int = log().count { it["step"] == step }

    private fun post(path: String, body: String): String = call("POST", path, body)

    private fun call(method: String, path: String, body: String): String {
        val request = HttpRequest.newBuilder(URI.create(control.removeSuffix("/") + path)).method(method, HttpRequest.BodyPublishers.ofString(body)).build()
        val answer = http.send(request, HttpResponse.BodyHandlers.ofString())
        check(answer.statusCode() in 200..299) { "$method $path: ${answer.statusCode()} ${answer.body()}" }
        return answer.body()
    }

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly()
    }
}

/** A folder that goes away at the end. */
internal class Folder : AutoCloseable {
    val root: File = kotlin.io.path.createTempDirectory("partway-kotlin").toFile()
    val state: File = File(root, "state")

    /** A file of bytes that differ from place to place. */
    fun file(name: String, sizeBytes: Int): File = File(root, name).apply { writeBytes(content(sizeBytes, name.hashCode())) }

    override fun close() {
        root.deleteRecursively()
    }
}

internal fun content(sizeBytes: Int, seed: Int): ByteArray = java.util.Random(seed.toLong()).let { random -> ByteArray(sizeBytes).also(random::nextBytes) }
