import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Requests over `URLSession`, for apps whose policies, proxies or certificates are the system's. It holds each body whole while it is sent: part size times
/// parallel parts of memory. The built-in transport does not, and also stops a body whose answer has come.
public final class URLSessionTransport: NSObject, Transport, @unchecked Sendable { // What changes is behind the lock.
    private let lock = NSLock()
    private var exchanges: [Int: Exchange] = [:]
    private(set) var session: URLSession!

    /// What is signed must arrive as it is: no cache, no cookies, no credentials of the system's.
    public static func standard() -> URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCredentialStorage = nil
        configuration.httpMaximumConnectionsPerHost = 16
        return configuration
    }

    public init(_ configuration: URLSessionConfiguration = standard()) {
        super.init()
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        session = URLSession(configuration: configuration, delegate: Delegate(self), delegateQueue: queue)
    }

    /// Ends the session once nothing is under way, where it is not to wait for the last one to let go of this. After the client's `close`: what it asks for later
    /// is a connection that broke.
    public func close() {
        session.finishTasksAndInvalidate()
    }

    /// A session keeps itself until it is told.
    deinit {
        session.invalidateAndCancel()
    }

    public func execute(call: TransportCall) throws {
        let asked = call.request()
        guard let url = URL(string: asked.url.reveal()) else {
            _ = call.fail(fault: .malformed)
            return
        }
        var request = URLRequest(url: url)
        request.httpMethod = asked.method
        request.timeoutInterval = Double(asked.patienceMs) / 1_000
        asked.headers.forEach { request.addValue($0.value.reveal(), forHTTPHeaderField: $0.name) }
        let length = call.bodyLen()
        let body = try length > 0 ? pull(call, length) : nil
        let task = body.map { session.uploadTask(with: request, from: $0) } ?? session.dataTask(with: request)
        lock.withLock { exchanges[task.taskIdentifier] = Exchange(call: call, answerBytesMax: asked.answerBytesMax) }
        call.onCancel(hook: Cancelling(task))
        task.resume()
    }

    private func pull(_ call: TransportCall, _ length: Int64) throws -> Data {
        var body = Data(capacity: Int(length))
        while body.count < length {
            let bytes = try call.readBody(bytesMax: 256 << 10)
            if bytes.isEmpty { break }
            body.append(bytes)
        }
        return body
    }

    fileprivate func with<T>(_ task: URLSessionTask, _ change: (inout Exchange) -> T) -> T? {
        lock.withLock {
            guard exchanges[task.taskIdentifier] != nil else { return nil }
            return change(&exchanges[task.taskIdentifier]!)
        }
    }

    fileprivate func take(_ task: URLSessionTask) -> Exchange? {
        lock.withLock { exchanges.removeValue(forKey: task.taskIdentifier) }
    }

    fileprivate static func fault(of error: any Error) -> TransportFault {
        switch (error as? URLError)?.code {
        case .cannotFindHost?, .dnsLookupFailed?: .resolve
        case .cannotConnectToHost?, .notConnectedToInternet?, .dataNotAllowed?, .internationalRoamingOff?: .connect
        case .secureConnectionFailed?, .serverCertificateUntrusted?, .serverCertificateHasBadDate?, .serverCertificateHasUnknownRoot?,
            .serverCertificateNotYetValid?, .clientCertificateRejected?, .clientCertificateRequired?: .tls
        case .timedOut?: .timedOut
        case .badServerResponse?, .cannotParseResponse?, .cannotDecodeContentData?, .cannotDecodeRawData?: .malformed
        default: .cut
        }
    }
}

private struct Exchange {
    let call: TransportCall
    let answerBytesMax: Int64
    var answer = Data()
}

/// Apart from the transport, which its session would keep alive otherwise.
private final class Delegate: NSObject, URLSessionDataDelegate, Sendable {
    private let transport: Unowned

    init(_ transport: URLSessionTransport) {
        self.transport = Unowned(transport)
    }

    private final class Unowned: @unchecked Sendable { // Set once.
        weak var it: URLSessionTransport?
        init(_ it: URLSessionTransport) { self.it = it }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64, totalBytesExpectedToSend: Int64
    ) {
        transport.it?.with(task) { $0.call }?.sent(bytes: totalBytesSent)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        // One more byte than may be, so that a longer answer is seen to be longer.
        let full = transport.it?.with(dataTask) { exchange in
            exchange.answer.append(data)
            return Int64(exchange.answer.count) > exchange.answerBytesMax
        }
        if full ?? false {
            answer(dataTask)
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error {
            _ = transport.it?.take(task)?.call.fail(fault: URLSessionTransport.fault(of: error))
        } else {
            answer(task)
        }
    }

    private func answer(_ task: URLSessionTask) {
        guard let exchange = transport.it?.take(task) else { return }
        guard let response = task.response as? HTTPURLResponse else {
            _ = exchange.call.fail(fault: .malformed)
            return
        }
        let headers = response.allHeaderFields.map { HttpHeader(name: "\($0.key)", value: Secret("\($0.value)")) }
        _ = exchange.call.respond(response: HttpResponse(status: Int32(response.statusCode), headers: headers, body: exchange.answer))
    }
}

private final class Cancelling: CancelHook, @unchecked Sendable { // A task may be cancelled from any thread.
    private let task: URLSessionTask

    init(_ task: URLSessionTask) {
        self.task = task
    }

    func cancelled() { task.cancel() }
}
