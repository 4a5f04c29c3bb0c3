import Partway

func backgroundTask(_ client: any UploadClient) async throws -> Bool {
    let idle = try await client.runUntilIdle(timeoutMs: 25_000)
    return idle.active == 0 && idle.queued == 0
}

func reschedule(_ client: any UploadClient, next: (_ inMs: Int64?, _ network: NetworkPolicy) -> Void) async {
    for await idle in client.idles { next(idle.nextWakeMs, idle.wants) }
}

func networkChanged(_ client: any UploadClient, online: Bool, metered: Bool, generation: Int64) {
    client.setNetwork(Network(state: online ? .online : .offline, metered: metered, generation: generation))
}

func wifiOnly(_ client: any UploadClient, _ on: Bool) throws {
    try client.change(.all, Change(network: on ? .unmetered : .any))
}
