import Foundation

/// The last snapshot of each upload, and who waits for the next one. Each client has one; those made for tests too.
public final class Board: @unchecked Sendable { // Everything in it is behind the lock.
    struct Row {
        let snapshot: Snapshot
        /// When it changed, counted on this board.
        let tick: UInt64
    }

    /// What a look at the rows comes to.
    enum Look<T: Sendable>: Sendable {
        case found(T)
        case notYet
        case never
    }

    private let lock = NSLock()
    private var rows: [String: Row] = [:]
    private var tick: UInt64 = 0
    private var over = false
    private var waiters: [UInt64: (id: String?, continuation: CheckedContinuation<Void, Never>)] = [:]
    private var lastWaiter: UInt64 = 0

    public init() {}

    /// Shows snapshots, unless newer ones of the same uploads are shown, or they are `gone`.
    public func show(_ snapshots: [Snapshot], unless gone: (Snapshot) -> Bool = { _ in false }) {
        change {
            var changed: Set<String> = []
            for snapshot in snapshots {
                if let known = rows[snapshot.id]?.snapshot, known.revision > snapshot.revision || known == snapshot { continue }
                if gone(snapshot) { continue }
                tick += 1
                rows[snapshot.id] = Row(snapshot: snapshot, tick: tick)
                changed.insert(snapshot.id)
            }
            return changed
        }
    }

    /// These are forgotten; who watches one of them comes to the end.
    public func drop(_ ids: [String]) {
        change {
            let there = Set(ids.filter { rows.removeValue(forKey: $0) != nil })
            tick += there.isEmpty ? 0 : 1
            return there
        }
    }

    /// Nothing changes any more; who watches comes to the end.
    public func close() {
        let woken = lock.withLock {
            over = true
            defer { waiters = [:] }
            return waiters.values.map(\.continuation)
        }
        woken.forEach { $0.resume() }
    }

    /// True once closed.
    public var isClosed: Bool { lock.withLock { over } }

    /// All that are shown, oldest first.
    public var snapshots: [Snapshot] { lock.withLock { rows.values.map(\.snapshot) }.sorted { $0.id < $1.id } }

    /// One of them.
    public func snapshot(of id: String) -> Snapshot? { lock.withLock { rows[id]?.snapshot } }

    /// Looks now, and again after each change of `id` (of any, without one), until there is something to give. `nil`: there never will be, or the task is
    /// cancelled.
    func first<T: Sendable>(of id: String?, _ look: @Sendable ([String: Row]) -> Look<T>) async -> T? {
        while !Task.isCancelled {
            let (found, seen, closed) = lock.withLock { (look(rows), tick, over) }
            switch found {
            case .found(let value): return value
            case .never: return nil
            case .notYet where closed: return nil
            case .notYet: await changed(id, since: seen)
            }
        }
        return nil
    }

    /// Returns when something of `id` may have changed since then, or the task is cancelled.
    private func changed(_ id: String?, since seen: UInt64) async {
        let waiter = lock.withLock {
            lastWaiter += 1
            return lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let parked = lock.withLock {
                    guard tick == seen, !over, !Task.isCancelled else { return false }
                    waiters[waiter] = (id, continuation)
                    return true
                }
                if !parked { continuation.resume() }
            }
        } onCancel: {
            lock.withLock { waiters.removeValue(forKey: waiter) }?.continuation.resume()
        }
    }

    /// Makes a change, and wakes whom it concerns once the lock is free again.
    private func change(_ change: () -> Set<String>) {
        let woken = lock.withLock {
            let changed = change()
            let concerned = changed.isEmpty ? [:] : waiters.filter { $0.value.id.map(changed.contains) ?? true }
            concerned.keys.forEach { waiters.removeValue(forKey: $0) }
            return concerned.map(\.value.continuation)
        }
        woken.forEach { $0.resume() }
    }

    /// How many wait.
    var watching: Int { lock.withLock { waiters.count } }
}
