import Partway

func watch(_ client: any UploadClient, show: ([String]) -> Void) async {
    for await all in client.uploads(.group(group: "chat/7")) { show(all.map(line)) }
}

func line(_ snapshot: Snapshot) -> String {
    switch snapshot.state {
    case .queued: "In line"
    case .active: "\(Int(snapshot.progress.fraction * 100)) %"
    case .waiting(let waiting) where waiting.reason == .conflict: "Answer: \(waiting.choices)"
    case .waiting(let waiting): waiting.error?.remedy.text() ?? "Waiting"
    case .paused: "Paused"
    case .completed(let receipt): receipt.name
    case .failed(let error): error.remedy.text() // English or Chinese; Remedy.key is for texts of your own
    case .cancelled: "Cancelled"
    }
}
