// libbpf's own words, collected per thread while a call runs.
#pragma once

#include <string>

/// Collects what libbpf prints on this thread for as long as it lives; they nest.
class LogCapture {
  public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture &) = delete;
    LogCapture &operator=(const LogCapture &) = delete;

    const std::string &text() const { return text_; }
    /// The verifier's part of the log, empty where there is none.
    std::string verifierText() const;
    /// The last line that says something, without "libbpf: ".
    std::string lastLine() const;
    /// The name of the program that the log says failed to load, or empty.
    std::string failedProgram() const;

  private:
    friend int logPrint(int, const char *, void *);
    std::string text_;
    LogCapture *outer_;
};

/// The last line of a verifier's log that gives a reason: not its statistics.
std::string lastVerifierLine(const std::string &log);
