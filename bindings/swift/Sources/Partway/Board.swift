import Foundation

/// The last snapshot of each upload, and who waits for the next one: what the sequences of a client are views of. There is nothing to call on it: a client
/// shows what happens, and nobody else.
///
/// Rows follow what the client tells: changes, then that an upload is forgotten, and nothing of it after that. A call that knows an upload to be gone takes its
/// row down at once; what is still told of it then makes no row, and reaches who watches. What is read of the client is read under the lock, so that it can't
/// be older than a "forgotten" that was told.
public final class Board: @unchecked Sendable { // Everything in it is behind the lock.
    struct Row {
        let snapshot: Snapshot
        /// When it changed, counted on this board.
        let tick: UInt64
    }

    /// What there is to see.
    struct Shown {
        fileprivate(set) var rows: [String: Row] = [:]
        /// When nothing worked any more, the last time that it was told.
        fileprivate(set) var rested: (idle: Idle, tick: UInt64)?

        /// The rows that fit, in no order.
        func rows(_ which: Select) -> [Row] {
            if case .one(let id) = which { return rows[id].map { [$0] } ?? [] }
            return rows.values.filter { which.fits($0.snapshot) }
        }
    }

    /// What is read of the client.
    struct Reader: Sendable {
        /// An upload that is no row yet.
        var known: @Sendable (String) -> Snapshot? = { _ in nil }
        /// What works.
        var idle: @Sendable () -> Idle? = { nil }
    }

    /// What a look at the rows comes to.
    enum Look<T: Sendable>: Sendable {
        case found(T)
        case notYet
        case never
    }

    /// What somebody waits for.
    enum Topic: Hashable, Sendable {
        /// Rows that fit.
        case rows(Select)
        /// What is told of an upload, also when it is no row any more.
        case upload(String)
        case endings
        case rest
    }

    /// What one watcher was not given yet.
    fileprivate final class Inbox: @unchecked Sendable { // Behind the lock of its board.
        var news: [Snapshot] = []
        var over = false

        var look: Look<[Snapshot]> {
            if news.isEmpty { return over ? .never : .notYet }
            defer { news = [] }
            return .found(news)
        }
    }

    /// Who watches one upload (the latest of it), or all endings, for as long as this is kept.
    final class Subscription: Sendable {
        private let board: Board
        private let topic: Topic
        private let number: UInt64
        private let inbox = Inbox()

        fileprivate init(_ board: Board, _ topic: Topic) {
            (self.board, self.topic) = (board, topic)
            number = board.enter(topic, inbox)
        }

        /// What is new, once there is anything. `nil`: there never will be, or the task is cancelled.
        func next() async -> [Snapshot]? { await board.first(of: topic) { [inbox] _ in inbox.look } }

        deinit { board.leave(topic, number) }
    }

    private let lock = NSLock()
    private var shown = Shown()
    /// Taken down by a call before it was told that they are forgotten: what was seen of them last.
    private var leaving: [String: Snapshot] = [:]
    private var watchers: [String: [UInt64: Inbox]] = [:]
    private var collectors: [UInt64: Inbox] = [:]
    private var tick: UInt64 = 0
    private var over = false
    private var waiters: [UInt64: (topic: Topic, continuation: CheckedContinuation<Void, Never>)] = [:]
    private var last: UInt64 = 0
    private var reader = Reader()

    /// Shows snapshots, unless newer ones of the same uploads are shown.
    func show(_ snapshots: [Snapshot]) { show { snapshots } }

    /// These are forgotten, and nothing of them follows; who watches one of them comes to the end.
    func forgotten(_ ids: [String]) {
        change { changed in
            for id in ids {
                if let row = shown.rows.removeValue(forKey: id) { changed.formUnion(row.snapshot.topics) }
                leaving[id] = nil
                end(id, &changed)
            }
        }
    }

    /// Nothing works any more.
    func rested(_ idle: Idle) {
        change { changed in
            if over { return }
            tick += 1
            shown.rested = (idle, tick)
            changed.insert(.rest)
        }
    }

    /// Nothing changes any more; who watches comes to the end.
    func close() { finish(nil) }

    /// True once closed.
    var isClosed: Bool { lock.withLock { over } }

    /// All that are shown, oldest first.
    var snapshots: [Snapshot] { lock.withLock { shown.rows.values.map(\.snapshot) }.sorted { $0.id < $1.id } }

    /// One of them.
    func snapshot(of id: String) -> Snapshot? { lock.withLock { shown.rows[id]?.snapshot } }

    /// What works now; `nil` once closed.
    var idle: Idle? { lock.withLock { reader }.idle() }

    /// What happens from here on is later.
    var now: UInt64 { lock.withLock { tick } }

    /// Shows what is read, where it is newer; gives it back.
    @discardableResult func show(_ read: () -> [Snapshot]) -> [Snapshot] {
        change { changed in
            let snapshots = over ? [] : read()
            snapshots.forEach { accept($0, &changed) }
            return snapshots
        }
    }

    /// These are gone, and that will be told. What is read takes their place.
    func drop(_ ids: [String], for read: () -> [Snapshot] = { [] }) {
        change { changed in
            if over { return }
            for id in ids {
                guard let row = shown.rows.removeValue(forKey: id) else { continue }
                leaving[id] = row.snapshot
                changed.formUnion(row.snapshot.topics)
                changed.insert(.upload(id))
            }
            read().forEach { accept($0, &changed) }
        }
    }

    /// Nothing changes after `last`, which is all there is; without it, after what is shown.
    func finish(_ last: [Snapshot]?) {
        // Let go of without the lock: it may be the last to keep a client.
        let reading = lock.withLock { reader }
        defer { withExtendedLifetime(reading) {} }
        let woken = lock.withLock {
            if over { return [CheckedContinuation<Void, Never>]() }
            if let last {
                var changed: Set<Topic> = []
                last.forEach { accept($0, &changed) }
                let there = Set(last.map(\.id))
                shown.rows = shown.rows.filter { there.contains($0.key) }
            }
            over = true
            watchers.values.forEach { $0.values.forEach { $0.over = true } }
            collectors.values.forEach { $0.over = true }
            (watchers, collectors, leaving, reader) = ([:], [:], [:], Reader())
            defer { waiters = [:] }
            return waiters.values.map(\.continuation)
        }
        woken.forEach { $0.resume() }
    }

    /// Who is asked for what is not shown.
    func ask(_ reader: Reader) { lock.withLock { self.reader = reader } }

    /// One upload: as it is, then each time the latest.
    func watch(_ id: String) -> Subscription { Subscription(self, .upload(id)) }

    /// Each ending, once: those that are rows now, then what ends.
    func watchEndings() -> Subscription { Subscription(self, .endings) }

    /// Looks now, and again after each change that concerns `topic`, until there is something to give. `nil`: there never will be, or the task is cancelled.
    func first<T: Sendable>(of topic: Topic, _ look: @Sendable (Shown) -> Look<T>) async -> T? {
        while !Task.isCancelled {
            let (found, seen, closed) = lock.withLock { (look(shown), tick, over) }
            switch found {
            case .found(let value): return value
            case .never: return nil
            case .notYet where closed: return nil
            case .notYet: await changed(topic, since: seen)
            }
        }
        return nil
    }

    /// Those of `read` that no call has taken down.
    func present(_ read: [Snapshot]) -> [Snapshot] {
        lock.withLock { leaving.isEmpty ? read : read.filter { leaving[$0.id] == nil } }
    }

    /// How many wait.
    var watching: Int { lock.withLock { waiters.count } }

    /// How many watch one upload, or endings.
    var subscribed: Int { lock.withLock { watchers.values.reduce(collectors.count) { $0 + $1.count } } }

    /// How many are taken down and not told to be forgotten.
    var departing: Int { lock.withLock { leaving.count } }

    fileprivate func enter(_ topic: Topic, _ inbox: Inbox) -> UInt64 {
        change { changed in
            last += 1
            switch topic {
            case .upload(let id):
                var there = shown.rows[id]?.snapshot ?? leaving[id].flatMap { $0.state.ended ? nil : $0 }
                if there == nil, !over, let read = reader.known(id) {
                    accept(read, &changed)
                    there = read
                }
                inbox.news = there.map { [$0] } ?? []
                inbox.over = over || there?.state.ended ?? true
                if !inbox.over { watchers[id, default: [:]][last] = inbox }
            case .endings:
                inbox.news = shown.rows.values.map(\.snapshot).filter(\.state.ended).sorted { $0.changedUnixMs < $1.changedUnixMs }
                inbox.over = over
                if !over { collectors[last] = inbox }
            case .rows, .rest: break
            }
            return last
        }
    }

    fileprivate func leave(_ topic: Topic, _ number: UInt64) {
        lock.withLock {
            collectors[number] = nil
            guard case .upload(let id) = topic else { return }
            watchers[id]?[number] = nil
            if watchers[id]?.isEmpty ?? false { watchers[id] = nil }
        }
    }

    private func accept(_ next: Snapshot, _ changed: inout Set<Topic>) {
        let before = shown.rows[next.id]?.snapshot ?? leaving[next.id]
        if let before, before.revision >= next.revision { return }
        if leaving[next.id] != nil {
            leaving[next.id] = next
        } else {
            tick += 1
            shown.rows[next.id] = Row(snapshot: next, tick: tick)
            changed.formUnion(next.topics)
        }
        watchers[next.id]?.values.forEach { $0.news = [next] }
        changed.insert(.upload(next.id))
        guard next.state.ended else { return }
        end(next.id, &changed)
        // What a cancel could undo may still be told after the ending itself.
        if before?.state.ended ?? false { return }
        collectors.values.forEach { $0.news.append(next) }
        changed.insert(.endings)
    }

    private func end(_ id: String, _ changed: inout Set<Topic>) {
        watchers.removeValue(forKey: id)?.values.forEach { $0.over = true }
        changed.insert(.upload(id))
    }

    /// Returns when something of `topic` may have changed since then, or the task is cancelled.
    private func changed(_ topic: Topic, since seen: UInt64) async {
        let waiter = lock.withLock {
            last += 1
            return last
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let parked = lock.withLock {
                    guard tick == seen, !over, !Task.isCancelled else { return false }
                    waiters[waiter] = (topic, continuation)
                    return true
                }
                if !parked { continuation.resume() }
            }
        } onCancel: {
            lock.withLock { waiters.removeValue(forKey: waiter) }?.continuation.resume()
        }
    }

    /// Makes a change, and wakes whom it concerns once the lock is free again.
    private func change<T>(_ change: (inout Set<Topic>) -> T) -> T {
        let (result, woken) = lock.withLock {
            var changed: Set<Topic> = []
            let result = change(&changed)
            if changed.isEmpty { return (result, [CheckedContinuation<Void, Never>]()) }
            tick += 1
            let concerned = waiters.filter { changed.contains($0.value.topic) }
            concerned.keys.forEach { waiters.removeValue(forKey: $0) }
            return (result, concerned.map(\.value.continuation))
        }
        woken.forEach { $0.resume() }
        return result
    }
}

extension Snapshot {
    /// Whose rows change with it. All of these stay what they are.
    fileprivate var topics: [Board.Topic] {
        [.rows(.all), .rows(.one(id: id)), .rows(.key(key: key)), .rows(.account(account: account))] + (group.map { [.rows(.group(group: $0))] } ?? [])
    }
}
