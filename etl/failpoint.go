package etl

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Failpoint names the places where tests kill the process. They are the crash points of the checkpoint protocol.
const (
	failBeforeInsert     = "before-insert"     // a flush is cut, nothing of it is in the warehouse
	failMidTransaction   = "mid-transaction"   // the first piece of a large transaction is in, the rest is not
	failMidBisect        = "mid-bisect"        // half of a block that the warehouse refused is in
	failBetweenTables    = "between-tables"    // one mirror has its rows, others not
	failBeforeCheckpoint = "before-checkpoint" // all rows are in, the checkpoint is not
	failBeforeAck        = "before-ack"        // the checkpoint is in, Postgres does not know
	failMidSnapshot      = "mid-snapshot"      // part of a load is in
	failBeforeRecord     = "before-record"     // a range is in, its record is not
	failBeforeSwap       = "before-swap"       // a mirror is built anew, the old one still stands
	failAfterSwap        = "after-swap"        // the new one stands, nobody has written that down
	failBeforeDrop       = "before-drop"       // that is written down, the old one is still there under its other name
)

// reached counts how often each failpoint was met.
var reached sync.Map

// failpoint kills the process, as a power cut would, if the environment asks for it here: NAME, or NAME@N for the Nth time.
func failpoint(name string) {
	wanted, nth, counted := strings.Cut(os.Getenv("GROUNDWORK_ETL_FAILPOINT"), "@")
	if wanted != name {
		return
	}
	n, _ := reached.LoadOrStore(name, new(atomic.Int64))
	if met := n.(*atomic.Int64).Add(1); counted && strconv.FormatInt(met, 10) != nth {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal may take a moment; nothing may happen after it
}
