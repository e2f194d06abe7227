// Programs that attach to a kernel function or tracepoint by its type's id; see trace_sections.cc.
#pragma once

struct bpf_program;

/// Once per process, before an object is opened.
void registerTraceSections();

/// Such a program, which libbpf attaches by bpf_program__attach_trace only.
bool isTraceSection(const bpf_program *program);
