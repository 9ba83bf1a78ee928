package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// BusyAddressError says that something else listens at an address that was asked for.
type BusyAddressError struct {
	// Addr is the address as host:port.
	Addr string
	// Flag and Variable choose another address.
	Flag, Variable string
}

func (e *BusyAddressError) Error() string {
	return fmt.Sprintf("address %s is already in use: stop the program that listens there, or choose another address with %s or %s (port 0 picks a free one)",
		e.Addr, e.Flag, e.Variable)
}

// address is where a child listens: on loopback, because the embedded default is for this machine only.
type address struct {
	host string
	// port 0 means: pick a free one at each attempt.
	port int
	// flag and variable are for errors.
	flag, variable string
}

func parseAddress(text, flag, variable string) (address, error) {
	if text == "" {
		text = "127.0.0.1:0"
	}
	fail := func(why string) (address, error) {
		return address{}, fmt.Errorf("%s (%s): %q %s: write 127.0.0.1:PORT", flag, variable, text, why)
	}
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return fail("is not host:port")
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return fail("has no port between 0 and 65535")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fail("is not a loopback address, and the embedded servers are for this machine only")
	}
	return address{host: host, port: port, flag: flag, variable: variable}, nil
}

func (a address) automatic() bool { return a.port == 0 }

func (a address) String() string { return net.JoinHostPort(a.host, strconv.Itoa(a.port)) }

// free returns the address with a port that was free a moment ago, or a *BusyAddressError. Somebody may take the port before
// the child does; then the child's own failure counts.
func (a address) free() (address, error) {
	listener, err := net.Listen("tcp", a.String())
	if errors.Is(err, syscall.EADDRINUSE) {
		return a, a.busy()
	}
	if err != nil {
		return a, fmt.Errorf("listen at %s (%s or %s): %w", a, a.flag, a.variable, err)
	}
	defer listener.Close()
	a.port = listener.Addr().(*net.TCPAddr).Port
	return a, nil
}

func (a address) busy() error {
	return &BusyAddressError{Addr: a.String(), Flag: a.flag, Variable: a.variable}
}
