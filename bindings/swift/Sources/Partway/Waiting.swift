import Foundation

extension UploadClient {
    /// `waitIdle` of every client.
    func firstRest(timeoutMs: Int64?) async throws -> Idle {
        let idles = idles
        let rest = await within(timeoutMs) { await idles.first { _ in true } }
        if let rest { return rest }
        try Task.checkCancellation()
        if board.isClosed { throw PartwayError.closed() }
        // The time is over.
        return try idle()
    }

    /// `runUntilIdle` of every client.
    func goUntilRest(timeoutMs: Int64?) async throws -> Idle {
        go()
        do {
            return try await firstRest(timeoutMs: timeoutMs)
        } catch let cancelled as CancellationError {
            _ = try? await hold(timeoutMs: holdMs)
            throw cancelled
        }
    }
}

/// What the systems leave a task that is told to stop.
private let holdMs: Int64 = 3_000

/// Longer than a process lives: no clock has to count that far.
private let foreverMs: Int64 = 100 * 365 * 86_400_000

/// What comes of `work`, unless so much time passes before: then, or when the task is cancelled, `nil`.
private func within<T: Sendable>(_ timeoutMs: Int64?, _ work: @escaping @Sendable () async -> T?) async -> T? {
    guard let timeoutMs, timeoutMs < foreverMs else { return await work() }
    return await withTaskGroup(of: T?.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try? await Task.sleep(nanoseconds: UInt64(max(timeoutMs, 0)) * 1_000_000)
            return nil
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
    }
}

/// Threads for work that blocks: few, for the system has few, which it gives to tasks as well.
enum Lane: Sendable {
    /// What writes to the disk, and is over soon.
    case writing
    /// What reads whole sources, whoever gives them.
    case reading

    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Result { try work() }) }
        }
    }

    private var queue: OperationQueue {
        switch self {
        case .writing: Lane.writings
        case .reading: Lane.readings
        }
    }

    private static let writings = queue(8)
    private static let readings = queue(4)

    private static func queue(_ atOnce: Int) -> OperationQueue {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = atOnce
        return queue
    }
}

/// Work that waits for others, on a thread of its own: it takes none from anybody, and has not to wait for one, whatever else the process waits for.
func apart<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try pooled(work) }) }
    }
}

/// The same for what can't fail.
func apart<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: pooled(work)) }
    }
}

/// Threads of the library live long, and empty no pool of Objective-C's: what a callback leaves there goes when it returns.
func pooled<T>(_ callback: () throws -> T) rethrows -> T {
    #if canImport(ObjectiveC)
    try autoreleasepool(invoking: callback)
    #else
    try callback()
    #endif
}
