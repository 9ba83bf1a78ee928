package etl

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// proxy stands between replicator and ClickHouse and breaks as told.
type proxy struct {
	url    string
	target string
	mu     sync.Mutex
	down   bool
	lose   int
	again  int           // requests that are delivered a second time
	slow   time.Duration // each reply waits so long
	halve  int           // requests of which only a part arrives
	open   map[net.Conn]bool
	hold   chan struct{} // non-nil: replies wait until it is closed
	await  string        // in a request: from there on replies wait
	met    chan struct{} // closed when it came
	next   chan struct{} // what they wait for then
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{target: u.Host, open: map[net.Conn]bool{}}
	u.Host = l.Addr().String()
	p.url = u.String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.down {
		p.mu.Unlock()
		return
	}
	p.open[client] = true
	p.mu.Unlock()
	request := &request{proxy: p, server: server}
	go func() { _, _ = io.Copy(request, client); _ = server.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if n > 0 && p.swallow() {
			return
		}
		if n > 0 {
			p.deliverAgain(request.take())
		}
		p.mu.Lock()
		hold, slow := p.hold, p.slow
		p.mu.Unlock()
		if slow > 0 {
			time.Sleep(slow)
		}
		if hold != nil {
			<-hold
		}
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// swallow decides whether this reply gets lost together with its connection.
func (p *proxy) swallow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == 0 {
		return false
	}
	p.lose--
	return true
}

func (p *proxy) loseReplies(n int) { p.mu.Lock(); p.lose += n; p.mu.Unlock() }

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for c := range p.open {
		_ = c.Close()
	}
	p.open = map[net.Conn]bool{}
}

func (p *proxy) mend() { p.mu.Lock(); p.down = false; p.mu.Unlock() }

// stall holds all replies back until the returned function is called.
func (p *proxy) stall() (release func()) {
	hold := make(chan struct{})
	p.mu.Lock()
	p.hold = hold
	p.mu.Unlock()
	return sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold = nil
		p.mu.Unlock()
		close(hold)
	})
}

// stallAt holds all replies back from the request that has text in it on.
func (p *proxy) stallAt(text string) (reached <-chan struct{}, release func()) {
	hold := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await, p.met = text, make(chan struct{})
	p.next = hold
	return p.met, sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold, p.await = nil, ""
		p.mu.Unlock()
		close(hold)
	})
}

// request keeps what the client has sent since the last reply.
type request struct {
	proxy  *proxy
	server net.Conn
	mu     sync.Mutex
	sent   []byte
}

func (q *request) Write(b []byte) (int, error) {
	q.proxy.set(func() {
		if p := q.proxy; p.await != "" && bytes.Contains(b, []byte(p.await)) {
			p.hold, p.await = p.next, ""
			close(p.met)
		}
	})
	if len(b) > 200 && q.proxy.spend(&q.proxy.halve) {
		_, _ = q.server.Write(b[:len(b)/2])
		return 0, io.ErrClosedPipe
	}
	q.mu.Lock()
	q.sent = append(q.sent, b...)
	q.mu.Unlock()
	return q.server.Write(b)
}

func (q *request) take() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent := q.sent
	q.sent = nil
	return sent
}

// spend takes one from a count of faults to come.
func (p *proxy) spend(n *int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}

// deliverAgain sends a request once more, as a network that loses an acknowledgement would, and waits for its reply.
func (p *proxy) deliverAgain(sent []byte) {
	if len(sent) == 0 || !p.spend(&p.again) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	_ = server.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := server.Write(sent); err == nil {
		_, _ = server.Read(make([]byte, 4096))
	}
}

func (p *proxy) set(f func()) { p.mu.Lock(); f(); p.mu.Unlock() }
