//! What the operating system knows of this process.

/// The memory in use, in bytes, where `/proc` tells it, which is on Linux.
pub(super) fn resident_memory() -> Option<i64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_read_from_the_status_of_linux() {
        let status = "Name:\tkeyback\nVmPeak:\t  200000 kB\nVmRSS:\t   31456 kB\nThreads:\t9\n";
        assert_eq!(parse(status), Some(31_456 * 1024));
        assert_eq!(parse("Name:\tkeyback\n"), None);
        assert_eq!(parse("VmRSS:\tmuch\n"), None);
    }
}
