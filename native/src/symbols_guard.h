// blazesym reads files through memory maps; whoever owns such a file may cut it short while it is read, and
// the kernel answers the next access with SIGBUS. Inside a guard the missing page reads as zeros instead.
#pragma once

/// While one lives, its thread survives SIGBUS on mapped files.
class TruncationGuard {
  public:
    TruncationGuard();
    ~TruncationGuard();
    /// Whether a page was missing: what was read is not to be trusted.
    bool tripped() const;
};
