package app

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// proxies are the addresses of the reverse proxies whose word on a request is believed: whom it came from, and whether over TLS.
// Headers that others send prove nothing.
type proxies []netip.Prefix

// parseProxies reads addresses and CIDR ranges.
func parseProxies(texts []string) (proxies, error) {
	var p proxies
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, inner := netip.ParseAddr(text); inner == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy (GROUNDWORK_TRUSTED_PROXY) %q is neither an address nor a range: write 10.0.0.5 or 10.0.0.0/8", text)
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

func (p proxies) trust(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, prefix := range p {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// client is the address that a request came from: that of the connection or, where a trusted proxy holds it, the last one before trusted
// proxies in X-Forwarded-For.
func (p proxies) client(r *http.Request) string {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && p.trust(address); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break // the proxy before it could not tell
		}
		address = before.Unmap().String()
	}
	return address
}

// overTLS tells whether the client's own connection is one over TLS.
func (p proxies) overTLS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !p.trust(host) {
		return false
	}
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

// hardened sets the headers that every answer carries. Pages set a policy of their own.
func (p proxies) hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if p.overTLS(r) { // a year; whoever came once over TLS never comes without
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}
