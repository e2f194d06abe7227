// The parts of the addon, one line each; addon.cc calls all of them.
#pragma once

#include "errors.h"
