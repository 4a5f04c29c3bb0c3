/// One upload: a client and an id, a plain value. Copy it, keep it, drop it; the upload does not notice. It keeps its client object, which costs nothing more,
/// and never the upload: that ends by its ending. Two of the same client and id are equal, however they were come by.
///
/// Its functions are those of `UploadClient` for this one: what is not `async` does no I/O and may be called on the main thread.
public struct Upload: Sendable, Hashable, Identifiable, CustomStringConvertible {
    public let client: any UploadClient
    public let id: String

    /// What the start that gave it came to: a new upload, one that was there already (its ending may be waiting to be taken), or one that continues another,
    /// which is gone. `nil` when it was made by its id.
    public let how: How?

    /// The upload of an id; whether there is one is only looked at when it is used. Does no I/O.
    public init(client: any UploadClient, id: String) {
        self.init(client: client, id: id, how: nil)
    }

    init(client: any UploadClient, id: String, how: How?) {
        (self.client, self.id, self.how) = (client, id, how)
    }

    /// As it changes, beginning with the present; ends with its ending, or when there is none of that id any more. Does no I/O itself; each iterator is a
    /// subscription, and suspends.
    public var snapshots: Snapshots { Snapshots(board: client.board, id: id) }

    /// As it is; `nil` when there is none of that id, such as after `forget`. Does no I/O.
    public var snapshot: Snapshot? { client.snapshot(id) }

    /// What it ended with. Suspends until then, for as long as it takes, and blocks no thread. Throws `PartwayError` when it failed (or there is none of that
    /// id, or the client is closed before) and `UploadCancelledError` when it was cancelled. Cancelling the task only stops waiting, with a
    /// `CancellationError`; see `withUploadCancellation`.
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

    /// Stays until resumed, also over restarts. Only posts.
    public func pause() { client.pause(.one(id: id)) }

    /// Goes on; also "try now". Only posts.
    public func resume() { client.resume(.one(id: id)) }

    /// Ends; a wish: an object that exists already makes it completed. Only posts.
    public func cancel() { client.cancel(.one(id: id)) }

    /// "I have stored the ending." False: it has not ended, or was forgotten before. Suspends while a file is written.
    @discardableResult public func forget() async throws -> Bool { try await client.forget(.one(id: id)) > 0 }

    /// Begins it again after it failed or was cancelled, with everything that was proven: another upload of the same key; this one is gone. Suspends while
    /// files are written. Throws `PartwayError` (`wrong_state`) in any other state.
    public func retry() async throws -> Upload { try await client.retry(id) }

    /// Answers an open conflict, also that of an upload which was to refuse. Nothing is sent again. Only posts; throws `PartwayError` when it does not wait for
    /// that answer.
    public func answer(_ choice: ConflictChoice) throws { try client.answerConflict(id, choice) }

    /// Gives it its source again. The same bytes go on where it was. Only posts; who owns what is said at the functions of `Source`.
    public func attachSource(_ source: Source) throws { try client.attachSource(id, source) }

    /// What blocks it, when it is tried next, how often it was; `nil` without it. Does no I/O.
    public func explain() -> Explanation? { client.explain(id) }

    public static func == (one: Upload, other: Upload) -> Bool { one.id == other.id && one.client === other.client }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    public var description: String { "Upload(\(id))" }
}

/// Opts in to what waiting alone does not do: when the task around it is cancelled, the upload is too. `body` runs in the task of the caller, and what it
/// returns or throws comes back.
public func withUploadCancellation<T: Sendable>(_ upload: Upload, _ body: @Sendable () async throws -> T) async rethrows -> T {
    try await withTaskCancellationHandler(operation: body, onCancel: upload.cancel)
}
