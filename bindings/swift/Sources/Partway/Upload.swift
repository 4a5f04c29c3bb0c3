/// One upload: a client and an id, a plain value. Copy it, keep it, drop it; the upload does not notice.
public struct Upload: Sendable, Hashable, Identifiable, CustomStringConvertible {
    public let client: any UploadClient
    public let id: String

    public init(client: any UploadClient, id: String) {
        self.client = client
        self.id = id
    }

    /// As it changes, beginning with the present; ends with its ending, or when there is none of that id any more.
    public var snapshots: Snapshots { Snapshots(board: client.board, id: id) }

    /// As it is; `nil` when there is none of that id, such as after `forget`.
    public var snapshot: Snapshot? { client.snapshot(id) }

    /// What it ended with. Throws `PartwayError` when it failed and `UploadCancelledError` when it was cancelled. Cancelling the task only stops waiting, with
    /// a `CancellationError`; see `withUploadCancellation`.
    public var receipt: Receipt {
        get async throws {
            for await snapshot in snapshots {
                switch snapshot.state {
                case .completed(let receipt): return receipt
                case .failed(let info): throw PartwayError(info)
                case .cancelled(let remote): throw UploadCancelledError(remote: remote)
                case .queued, .active, .waiting, .paused: continue
                }
            }
            try Task.checkCancellation()
            throw client.board.isClosed ? PartwayError.closed() : PartwayError.of("unknown_upload", "there is no upload of that id")
        }
    }

    /// Stays until resumed, also over restarts.
    public func pause() { client.pause(.one(id: id)) }

    /// Goes on; also "try now".
    public func resume() { client.resume(.one(id: id)) }

    /// Ends; a wish: an object that exists already makes it completed.
    public func cancel() { client.cancel(.one(id: id)) }

    /// "I have stored the ending." False: it has not ended, or was forgotten before.
    @discardableResult public func forget() async throws -> Bool { try await client.forget(.one(id: id)) > 0 }

    /// Begins it again after it failed or was cancelled, with everything that was proven: another upload of the same key.
    public func retry() async throws -> Upload { try await client.retry(id) }

    /// Answers an open conflict. Nothing is sent again.
    public func answer(_ choice: ConflictChoice) throws { try client.answerConflict(id, choice) }

    /// Gives it its source again. The same bytes go on where it was.
    public func attachSource(_ source: Source) throws { try client.attachSource(id, source) }

    /// What blocks it, when it is tried next, how often it was.
    public func explain() -> Explanation? { client.explain(id) }

    public static func == (one: Upload, other: Upload) -> Bool { one.id == other.id && one.client === other.client }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    public var description: String { "Upload(\(id))" }
}

/// Opts in to what waiting alone does not do: when the task around it is cancelled, the upload is too.
public func withUploadCancellation<T: Sendable>(_ upload: Upload, _ body: @Sendable () async throws -> T) async rethrows -> T {
    try await withTaskCancellationHandler(operation: body, onCancel: upload.cancel)
}
