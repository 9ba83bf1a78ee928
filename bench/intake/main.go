// Command intake measures how many opinions a second the public can submit through GraphQL: it starts the program on embedded engines
// with data of its own, lets clients submit for a while, each as fast as it is answered, and counts what was acknowledged. In the end
// every acknowledged opinion has to be in the system of record.
//
//	go run ./bench/intake -clients 32 -duration 60s
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

func main() {
	var b bench
	flag.StringVar(&b.binary, "binary", "bin/groundwork", "the program (make build)")
	flag.StringVar(&b.url, "url", "", "GraphQL of a running Groundwork, instead of starting one")
	flag.IntVar(&b.clients, "clients", 32, "clients at a time, each over one connection")
	flag.DurationVar(&b.duration, "duration", time.Minute, "how long they submit")
	flag.BoolVar(&b.json, "json", false, "print the figures as JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "intake:", err)
		os.Exit(1)
	}
}

type bench struct {
	binary, url string
	clients     int
	duration    time.Duration
	json        bool
}

// figures are what is printed.
type figures struct {
	Clients       int     `json:"clients"`
	Seconds       float64 `json:"seconds"`
	Acknowledged  int     `json:"acknowledged"`
	Refused       int     `json:"refused"`
	PerSecond     float64 `json:"per_second"`
	P50, P95, P99 float64 // milliseconds
	Found         int     `json:"found"` // acknowledged opinions that the API finds again afterwards
}

func (b bench) run(ctx context.Context) error {
	if b.url == "" {
		url, stop, err := b.start(ctx)
		if err != nil {
			return err
		}
		defer stop()
		b.url = url
	}
	f, ids, err := b.submit(ctx)
	if err != nil {
		return err
	}
	if f.Found, err = b.find(ctx, ids); err != nil {
		return err
	}
	if b.json {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	fmt.Printf("%d clients for %.0f s: %d opinions acknowledged, %d refused: %.0f a second; p50 %.1f ms, p95 %.1f ms, p99 %.1f ms; %d found again\n",
		f.Clients, f.Seconds, f.Acknowledged, f.Refused, f.PerSecond, f.P50, f.P95, f.P99, f.Found)
	if f.Found != f.Acknowledged {
		return errors.New("acknowledged opinions were lost")
	}
	return nil
}

// patience bounds the start and the stop of the program.
const patience = 2 * time.Minute

// start runs the program on a directory of its own.
func (b bench) start(ctx context.Context) (url string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "intake")
	if err != nil {
		return "", nil, err
	}
	ports := make([]string, 3)
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return "", nil, err
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	program := exec.CommandContext(ctx, b.binary, "up", "--no-sample", "--data-dir", filepath.Join(dir, "data"),
		"--http", ports[0], "--postgres", ports[1], "--clickhouse", ports[2])
	program.Stdout, program.Stderr = log, log
	program.Cancel = func() error { return program.Process.Signal(syscall.SIGTERM) }
	program.WaitDelay = patience
	if err := program.Start(); err != nil {
		return "", nil, fmt.Errorf("start %s (make build makes it): %w", b.binary, err)
	}
	stop = func() {
		_ = program.Process.Signal(syscall.SIGTERM)
		_ = program.Wait()
		_ = os.RemoveAll(dir)
	}
	if err := ready(ctx, "http://"+ports[0]+"/readyz"); err != nil {
		said, _ := os.ReadFile(log.Name())
		stop()
		return "", nil, fmt.Errorf("%w; the program said:\n%s", err, said)
	}
	return "http://" + ports[0] + "/graphql", stop, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("it was not ready in time")
		case <-tick.C:
		}
	}
}

const submission = `mutation($text: String!) { submitOpinion(input: {channel: ONLINE, kind: COMPLAINT, subject: "A hole in the road", text: $text}) {
	opinion { id } userErrors { message } } }`

// submit lets all clients submit until the time is over.
func (b bench) submit(ctx context.Context) (f figures, ids []string, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.clients, MaxConnsPerHost: b.clients}}
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	started := time.Now()
	for c := range b.clients {
		all.Go(func() {
			for n := 0; time.Since(started) < b.duration && ctx.Err() == nil; n++ {
				begun := time.Now()
				id, failed := ask(ctx, client, b.url, fmt.Sprintf("Submission %d of client %d: it is as deep as an arm is long.", n, c))
				mu.Lock()
				if failed == nil {
					ids, took = append(ids, id), append(took, time.Since(begun))
				} else {
					f.Refused++
					err = failed
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	f.Seconds = time.Since(started).Seconds()
	if len(took) == 0 {
		return f, nil, fmt.Errorf("nothing was acknowledged: %w", err)
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	f.Clients, f.Acknowledged, f.PerSecond = b.clients, len(ids), float64(len(ids))/f.Seconds
	f.P50, f.P95, f.P99 = at(0.5), at(0.95), at(0.99)
	return f, ids, ctx.Err()
}

func ask(ctx context.Context, client *http.Client, url, text string) (id string, err error) {
	var answer struct {
		Data struct {
			SubmitOpinion struct {
				Opinion    struct{ ID string }
				UserErrors []struct{ Message string }
			}
		}
		Errors []struct{ Message string }
	}
	if err := post(ctx, client, url, map[string]any{"query": submission, "variables": map[string]any{"text": text}}, &answer); err != nil {
		return "", err
	}
	made := answer.Data.SubmitOpinion
	for _, e := range append(answer.Errors, made.UserErrors...) {
		return "", errors.New(e.Message)
	}
	return made.Opinion.ID, nil
}

// find counts the opinions that are there, a hundred at a time.
func (b bench) find(ctx context.Context, ids []string) (found int, err error) {
	for chunk := range slices.Chunk(ids, 100) {
		var answer struct {
			Data struct{ Nodes []*struct{ ID string } }
		}
		if err := post(ctx, http.DefaultClient, b.url, map[string]any{"query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": map[string]any{"ids": chunk}}, &answer); err != nil {
			return found, err
		}
		for _, n := range answer.Data.Nodes {
			if n != nil {
				found++
			}
		}
	}
	return found, nil
}

func post(ctx context.Context, client *http.Client, url string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, said)
	}
	return json.Unmarshal(said, answer)
}
