// The kernel's software and hardware events by name, as perf_event_open takes them.
#pragma once

#include <string>

#include <linux/perf_event.h>

/// Neither period nor frequency is set. Throws InvalidArgument for a name that is none.
perf_event_attr perfEventCalled(const std::string &name);
