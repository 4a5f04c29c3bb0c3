package partway

/** A place in a library of Tencent Smart Media Hosting. */
typealias Smh = Target.Smh

/** A place in a container of Huawei KooDrive. */
typealias KooDrive = Target.KooDrive
