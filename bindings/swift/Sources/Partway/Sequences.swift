/// One upload as it changes: first as it is, then each time the latest. Ends after its ending (however soon it is forgotten), when it is forgotten, or when the
/// client is closed; at once, when there is none of that id. A change of state may be passed over by who is slow, its ending never is.
///
/// Every iterator is a subscription of its own, which begins where it is made and ends where it is let go of. `next` suspends, blocks no thread, and comes back
/// on the executor of whoever calls it; it gives `nil` when the task is cancelled. Nothing is called back, and an iterator keeps no client open. So it is with
/// the sequences below.
public struct Snapshots: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board
    let id: String

    /// A subscription. Does no I/O.
    public func makeAsyncIterator() -> Iterator { Iterator(watch: board.watch(id)) }

    /// One subscription; see `Snapshots`.
    public struct Iterator: AsyncIteratorProtocol {
        let watch: Board.Subscription

        /// The latest that was not given yet, once there is one. Suspends.
        public mutating func next() async -> Snapshot? { await watch.next()?.last }
    }
}

/// The uploads that fit, oldest first, whole each time one of them changes: first as they are. Ends when the client is closed. What does not fit wakes nobody.
public struct Listing: AsyncSequence, Sendable {
    public typealias Element = [Snapshot]
    let board: Board
    let which: Select

    /// A subscription. Does no I/O.
    public func makeAsyncIterator() -> Iterator { Iterator(board: board, which: which) }

    /// One subscription; see `Listing`.
    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        let which: Select
        private var seen: Stamp?

        /// Of rows: what comes or changes has a later tick than all before it, what goes is missing in the count.
        private struct Stamp: Equatable {
            let count: Int
            let tick: UInt64
        }

        init(board: Board, which: Select) {
            self.board = board
            self.which = which
        }

        /// All of them, once one of them has changed. Suspends.
        public mutating func next() async -> [Snapshot]? {
            let (which, seen) = (which, seen)
            let found = await board.first(of: .rows(which)) { shown -> Board.Look<(Stamp, [Board.Row])> in
                let rows = shown.rows(which)
                let now = Stamp(count: rows.count, tick: rows.reduce(0) { Swift.max($0, $1.tick) })
                return now == seen ? .notYet : .found((now, rows))
            }
            guard let (now, rows) = found else { return nil }
            self.seen = now
            // Not under the lock.
            return rows.map(\.snapshot).sorted { $0.id < $1.id }
        }
    }
}

/// Uploads as they change, each time the latest of one: first all of them as they are. Ends when the client is closed.
public struct Changes: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board

    /// A subscription. Does no I/O.
    public func makeAsyncIterator() -> Iterator { Iterator(board: board) }

    /// One subscription; see `Changes`.
    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        private var seen: UInt64 = 0
        private var batch: ArraySlice<Board.Row> = []

        init(board: Board) {
            self.board = board
        }

        /// One that changed, in the order of their changes. Suspends.
        public mutating func next() async -> Snapshot? {
            if batch.isEmpty {
                let seen = seen
                let rows = await board.first(of: .rows(.all)) { shown -> Board.Look<[Board.Row]> in
                    let changed = shown.rows.values.filter { $0.tick > seen }
                    return changed.isEmpty ? .notYet : .found(changed)
                }
                batch = (rows ?? []).sorted { $0.tick < $1.tick }[...]
            }
            guard let row = batch.popFirst() else { return nil }
            seen = row.tick
            return row.snapshot
        }
    }
}

/// Each ending exactly once to each iterator: first those from before it was made that were not forgotten, then each upload that ends, however soon it is
/// forgotten by whom. Store it, then `forget` it. Ends when the client is closed. What an iterator was not given yet is kept for it.
public struct Endings: AsyncSequence, Sendable {
    public typealias Element = Snapshot
    let board: Board

    /// A subscription. Does no I/O.
    public func makeAsyncIterator() -> Iterator { Iterator(watch: board.watchEndings()) }

    /// One subscription; see `Endings`.
    public struct Iterator: AsyncIteratorProtocol {
        let watch: Board.Subscription
        private var batch: ArraySlice<Snapshot> = []

        init(watch: Board.Subscription) {
            self.watch = watch
        }

        /// The next ending, in the order in which they came. Suspends.
        public mutating func next() async -> Snapshot? {
            if batch.isEmpty { batch = await watch.next()?[...] ?? [] }
            return batch.popFirst()
        }
    }
}

/// Each time nothing works any more, with what a scheduler needs to know: first at once, where nothing works now. Of several the latest, for who was slow; a
/// rest from about when the iterator was made may be told twice. Ends when the client is closed.
public struct Idles: AsyncSequence, Sendable {
    public typealias Element = Idle
    let board: Board

    /// A subscription. Does no I/O.
    public func makeAsyncIterator() -> Iterator { Iterator(board: board) }

    /// One subscription; see `Idles`.
    public struct Iterator: AsyncIteratorProtocol {
        let board: Board
        private var seen: UInt64
        private var began = false

        init(board: Board) {
            self.board = board
            seen = board.now
        }

        /// The next rest. Suspends.
        public mutating func next() async -> Idle? {
            if !began {
                began = true
                if let now = board.idle, now.atRest { return now }
            }
            let seen = seen
            let told = await board.first(of: .rest) { shown -> Board.Look<(idle: Idle, tick: UInt64)> in
                shown.rested.flatMap { $0.tick > seen ? .found($0) : nil } ?? .notYet
            }
            guard let told else { return nil }
            self.seen = told.tick
            return told.idle
        }
    }
}

extension State {
    /// True for the three endings.
    public var ended: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .queued, .active, .waiting, .paused: false
        }
    }
}

extension Progress {
    /// For a progress bar: from 0 to 1, and never less than before.
    public var fraction: Double { bytesTotal > 0 ? Double(bytesShown) / Double(bytesTotal) : 0 }
}

extension Select {
    func fits(_ snapshot: Snapshot) -> Bool {
        switch self {
        case .one(let id): snapshot.id == id
        case .key(let key): snapshot.key == key
        case .group(let group): snapshot.group == group
        case .account(let account): snapshot.account == account
        case .all: true
        }
    }
}
