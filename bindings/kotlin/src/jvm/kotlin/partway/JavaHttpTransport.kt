package partway

import java.io.InputStream
import java.net.ConnectException
import java.net.ProtocolException
import java.net.URI
import java.net.UnknownHostException
import java.net.http.HttpClient
import java.net.http.HttpConnectTimeoutException
import java.net.http.HttpTimeoutException
import java.net.http.HttpRequest as JavaRequest
import java.net.http.HttpResponse as JavaResponse
import java.nio.channels.UnresolvedAddressException
import java.util.concurrent.CompletionException
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.Flow
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import javax.net.ssl.SSLException

/**
 * Requests over the JDK's own HTTP client. For servers and desktops; an OkHttp one for Android has the same shape: hand the URL over as it is, pull the body, cancel
 * when told, report once.
 *
 * [execute] does not block: bodies are pulled on threads of [client], answers are read on daemon threads of this class, which end when there is nothing to do. [client]
 * stays yours; that of [standard] ends with whoever holds it. Nothing here is to be closed.
 */
class JavaHttpTransport(private val client: HttpClient = standard()) : Transport {
    /** Called by the library. Answers later, from another thread. */
    override fun execute(call: TransportCall) {
        val request = call.request()
        val (answer, over) = AtomicReference<InputStream>() to AtomicBoolean()
        val exchange = try {
            client.sendAsync(request.toJava(call), JavaResponse.BodyHandlers.ofInputStream())
        } catch (e: IllegalArgumentException) {
            // Of a URL or a header that is none: another try would not make it one. Its words could hold what a signature is of.
            call.use { it.fail(TransportFault.MALFORMED) }
            return
        }
        call.onCancel(object : CancelHook {
            override fun cancelled() {
                over.set(true)
                exchange.cancel(true)
                answer.get()?.close()
            }
        })
        exchange.handleAsync({ response, fault ->
            call.use {
                try {
                    if (fault != null) throw fault
                    val body = response.body()
                    answer.set(body)
                    // Cancelled before that line: nobody else closes it.
                    if (over.get()) body.close()
                    call.respond(response.toAnswer(request.answerBytesMax))
                } catch (e: Throwable) {
                    call.fail(faultOf(e))
                }
            }
        }, BLOCKING)
    }

    companion object {
        private val BLOCKING: Executor = Executors.newCachedThreadPool { Thread(it, "partway-http").apply { isDaemon = true } }

        /** HTTP/1.1, no redirects, no cookies: what a signed request needs. Each call makes a client of its own. */
        fun standard(): HttpClient = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(BLOCKING)
            .build()
    }
}

private fun HttpRequest.toJava(call: TransportCall): JavaRequest {
    val builder = JavaRequest.newBuilder(URI.create(url.reveal())).method(method, body(call)).expectContinue(expectContinue)
    headers.forEach { builder.header(it.name, it.value.reveal()) }
    return builder.build()
}

private fun body(call: TransportCall): JavaRequest.BodyPublisher {
    val length = call.bodyLen()
    if (length == 0L) return JavaRequest.BodyPublishers.noBody()
    var pulled = false
    val stream = JavaRequest.BodyPublishers.ofInputStream {
        // Asked for again when it must be sent once more.
        if (pulled) call.rewindBody()
        pulled = true
        Pulled(call)
    }
    return object : JavaRequest.BodyPublisher by stream {
        // Exactly this, never chunked.
        override fun contentLength(): Long = length

        override fun subscribe(subscriber: Flow.Subscriber<in java.nio.ByteBuffer>) = stream.subscribe(subscriber)
    }
}

/** The body as a stream; what it throws is noted on the other side. */
private class Pulled(private val call: TransportCall) : InputStream() {
    private var rest = ByteArray(0)
    private var at = 0

    override fun read(): Int {
        val one = ByteArray(1)
        return if (read(one, 0, 1) < 0) -1 else one[0].toInt() and 0xff
    }

    override fun read(into: ByteArray, offset: Int, length: Int): Int {
        if (at == rest.size) {
            rest = call.readBody(PULL_BYTES)
            at = 0
        }
        if (rest.isEmpty()) return -1
        val count = minOf(length, rest.size - at)
        rest.copyInto(into, offset, at, at + count)
        at += count
        return count
    }

    private companion object {
        const val PULL_BYTES = 64 shl 10
    }
}

private fun JavaResponse<InputStream>.toAnswer(bytesMax: Long): HttpResponse {
    val headers = headers().map().flatMap { (name, values) -> values.map { HttpHeader(name, Secret(it)) } }
    // One more than may be, so that a longer one is seen to be longer.
    val bytes = body().use { it.readNBytes(minOf(bytesMax + 1, Int.MAX_VALUE.toLong()).toInt()) }
    return HttpResponse(statusCode(), headers, bytes)
}

private fun faultOf(fault: Throwable): TransportFault = when (fault) {
    is CompletionException -> fault.cause?.let(::faultOf) ?: TransportFault.CUT
    is UnknownHostException, is UnresolvedAddressException -> TransportFault.RESOLVE
    is HttpConnectTimeoutException -> TransportFault.CONNECT
    is ConnectException -> if (fault.cause is UnresolvedAddressException) TransportFault.RESOLVE else TransportFault.CONNECT
    is HttpTimeoutException -> TransportFault.TIMED_OUT
    is SSLException -> TransportFault.TLS
    is ProtocolException, is IllegalArgumentException -> TransportFault.MALFORMED
    else -> TransportFault.CUT
}
