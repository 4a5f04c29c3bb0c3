import Foundation

/// Whatever did not work. Compare the code, show people `localizedDescription`, log the description: no token, URL, path or name is in it.
public struct PartwayError: Error, LocalizedError, CustomNSError, Hashable, Sendable, CustomStringConvertible {
    public let info: ErrorInfo

    public init(_ info: ErrorInfo) {
        self.info = info
    }

    public var description: String { "\(info.logLine): \(info.detail)" }

    /// What a person should do; the line for a log, where a person can do nothing.
    public var errorDescription: String? { info.remedy == .none ? info.logLine : info.remedy.text() }

    public static var errorDomain: String { "partway" }
    public var errorCode: Int { Int(info.code) }
    public var errorUserInfo: [String: Any] {
        [NSLocalizedDescriptionKey: errorDescription ?? info.logLine, "NSDebugDescription": description]
    }

    /// An error of the table that the native side does not throw itself.
    static func of(_ name: String, _ detail: String) -> PartwayError {
        guard let row = errorCodes().first(where: { $0.name == name }) else { preconditionFailure("no error is called \(name)") }
        return PartwayError(ErrorInfo(
            code: row.code, name: row.name, category: row.category, disposition: row.disposition, remedy: row.remedy, detail: detail))
    }

    static func closed() -> PartwayError { of("closed", "the client is closed") }

    /// The same call with the one error of this library.
    static func thrown<T>(_ call: () throws -> T) throws -> T {
        do {
            return try call()
        } catch NativeError.Failed(let info) {
            throw PartwayError(info)
        }
    }
}

/// The upload was cancelled. No `CancellationError`: that means the task that waits.
public struct UploadCancelledError: Error, LocalizedError, Hashable, Sendable {
    /// What could be undone at the service.
    public let remote: Remote

    public var errorDescription: String? { "the upload was cancelled" }
}

extension ErrorInfo {
    /// One line for a log: number, name, status, the service's word and its request id.
    public var logLine: String {
        let known = [httpStatus.map { "http=\($0)" }, serviceCode.map { "service=\($0)" }, requestId.map { "request=\($0)" }]
        return (["PW-\(code) \(name)"] + known.compactMap { $0 }).joined(separator: " ")
    }
}
