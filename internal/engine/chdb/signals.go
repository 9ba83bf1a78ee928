package chdb

import (
	"syscall"
	"unsafe"
)

// engineSignals are those whose handlers the engine replaces on its first connection.
var engineSignals = []syscall.Signal{
	syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV,
	syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGSYS,
}

// kernelAction is the kernel's struct sigaction: handler, flags, restorer and a mask of 64 signals. Its content is only
// carried over, never read.
type kernelAction [4]uint64

type savedSignals map[syscall.Signal]kernelAction

func saveSignals() savedSignals {
	saved := savedSignals{}
	for _, s := range engineSignals {
		var action kernelAction
		if sigaction(s, nil, &action) {
			saved[s] = action
		}
	}
	return saved
}

func (s savedSignals) restore() {
	for signal, action := range s {
		sigaction(signal, &action, nil)
	}
}

func sigaction(s syscall.Signal, set, old *kernelAction) bool {
	const maskBytes = 8
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), maskBytes, 0, 0)
	return errno == 0
}
