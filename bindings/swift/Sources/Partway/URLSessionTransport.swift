import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Requests over `URLSession`, for apps whose policies, proxies or certificates are the system's. A body of more than 16 MiB is sent from a copy in the
/// temporary directory, which goes when it was sent; a smaller one is held whole: so much memory times parallel parts at most. The built-in transport needs
/// neither, and also stops a body whose answer has come.
///
/// It belongs to whoever makes it; a client that it was given to keeps it until the end of its `close`. Several clients may share one.
public final class URLSessionTransport: NSObject, Transport, @unchecked Sendable { // What changes is behind the lock.
    /// A longer body is not held in memory.
    fileprivate static let bodyBytesInMemory: Int64 = 16 << 20

    private let lock = NSLock()
    private var exchanges: [Int: Exchange] = [:]
    private var closed = false
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

    /// A session of its own, of a copy of `configuration`, with one thread of its own for what comes back. Does no I/O.
    public init(_ configuration: URLSessionConfiguration = standard()) {
        super.init()
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        session = URLSession(configuration: configuration, delegate: Delegate(self), delegateQueue: queue)
    }

    /// Ends the session once nothing is under way, where it is not to wait for the last one to let go of this. Waits for nothing; twice is once. After the
    /// client's `close`: what is asked for later is a connection that broke.
    public func close() {
        lock.withLock {
            closed = true
            session.finishTasksAndInvalidate()
        }
    }

    /// A session keeps itself until it is told.
    deinit {
        session.invalidateAndCancel()
        #if canImport(FoundationNetworking)
        // A secured connection takes its time to close, and where its session is gone by then Foundation on Linux ends the process. libcurl waits two seconds.
        let last = session
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(10)) { withExtendedLifetime(last) {} }
        #endif
    }

    /// Called by the library alone, on a thread for this request: reads the body there, which blocks for its source and for the byte rate, and returns when the
    /// request is on its way. The answer is given from the thread of the session. Throws what the call threw: then it is over.
    public func execute(call: TransportCall) throws {
        let asked = call.request()
        guard let url = Self.url(asked.url.reveal()) else {
            _ = call.fail(fault: .malformed)
            return
        }
        var request = URLRequest(url: url)
        request.httpMethod = asked.method
        request.timeoutInterval = Double(asked.patienceMs) / 1_000
        asked.headers.forEach { request.addValue($0.value.reveal(), forHTTPHeaderField: $0.name) }
        // Nothing is read for nobody.
        let body = try lock.withLock({ closed }) ? nil : Body(of: call)
        // One piece: a task that is made of a session which was told to end ends the process.
        let task: URLSessionTask? = lock.withLock {
            if closed { return nil }
            let task = switch body {
            case nil: session.dataTask(with: request)
            case .bytes(let bytes): session.uploadTask(with: request, from: bytes)
            case .file(let copy): session.uploadTask(with: request, fromFile: copy.url)
            }
            exchanges[task.taskIdentifier] = Exchange(call: call, body: body, answerBytesMax: asked.answerBytesMax)
            return task
        }
        guard let task else {
            _ = call.fail(fault: .cut)
            return
        }
        call.onCancel(hook: Cancelling(task))
        task.resume()
    }

    /// Byte for byte, or none: a signature covers it.
    static func url(_ text: String) -> URL? {
        let url = if #available(iOS 17, macOS 14, *) {
            // Else what is no URL is made one.
            URL(string: text, encodingInvalidCharacters: false)
        } else {
            URL(string: text)
        }
        return url?.host != nil && url?.absoluteString == text ? url : nil
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

/// What is sent.
private enum Body: Sendable {
    case bytes(Data)
    case file(Copy)

    init?(of call: TransportCall) throws {
        let length = call.bodyLen()
        if length == 0 { return nil }
        if length > URLSessionTransport.bodyBytesInMemory {
            let copy = Copy()
            try copy.fill(call, length)
            self = .file(copy)
            return
        }
        var bytes = Data(capacity: Int(length))
        try Body.pull(call, length) { bytes.append($0) }
        self = .bytes(bytes)
    }

    fileprivate static func pull(_ call: TransportCall, _ length: Int64, _ take: (Data) throws -> Void) throws {
        var left = length
        while left > 0 {
            let none = try pooled {
                let bytes = try call.readBody(bytesMax: 256 << 10)
                if !bytes.isEmpty { try take(bytes) }
                left -= Int64(bytes.count)
                return bytes.isEmpty
            }
            if none { break }
        }
    }
}

/// A body as a file, for as long as this is kept. A kill leaves it where the system clears up.
private final class Copy: Sendable {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("partway-\(UUID().uuidString)")

    func fill(_ call: TransportCall, _ length: Int64) throws {
        let mine: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: mine) else { throw CocoaError(.fileWriteUnknown) }
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        try Body.pull(call, length) { try file.write(contentsOf: $0) }
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}

private struct Exchange {
    let call: TransportCall
    /// Kept until it was sent.
    let body: Body?
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
