package groundwork

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// AuditEntry is one statement that changed rows of one table: who did it, when, why and from where. It has no contents of the rows.
type AuditEntry struct {
	ID        int64
	Xid       uint64 // the transaction
	At        time.Time
	Login     string // of the database
	Actor     string // on whose behalf; the login where nobody said
	Role      string
	Unit      string
	Official  string
	Request   string // of the log of the API
	Address   string // from where
	Operation string // what was asked for
	Purpose   string // why, where a reason is asked
	Action    string // INSERT, UPDATE, DELETE or TRUNCATE
	Noun      string // the table
	Affected  int64  // rows
	Keys      []string
}

// Digest is the SHA-256 of all of the entry.
func (e AuditEntry) Digest() [sha256.Size]byte {
	return sha256.Sum256(canonical(e.ID, e.Xid, e.At.UnixMicro(), e.Login, e.Actor, e.Role, e.Unit, e.Official, e.Request, e.Address,
		e.Operation, e.Purpose, e.Action, e.Noun, e.Affected, e.Keys))
}

// AuditSeal covers a batch of entries, and by the MAC of the seal before it all that came earlier: whoever changes, deletes or inserts
// an entry afterwards would have to make all later seals anew, and has no key for it.
type AuditSeal struct {
	N       int64
	At      time.Time
	Cluster int64
	Upto    uint64 // entries of earlier transactions are in this seal or one before it
	// Restored says that some seal was made on another server, which counted transactions differently.
	Restored bool
	Entries  []int64
	Digests  []byte // of the entries in their order, 32 bytes each
	KeyID    []byte
	MAC      []byte
}

// NewAuditSeal seals entries behind another seal, nil = the first. Upto and Cluster say where the database stands.
func NewAuditSeal(key []byte, before *AuditSeal, at time.Time, cluster int64, upto uint64, entries []AuditEntry) AuditSeal {
	s := AuditSeal{N: 1, At: Moment(at), Cluster: cluster, Upto: upto, KeyID: AuditKeyID(key), Entries: make([]int64, len(entries))}
	var chained []byte
	if before != nil {
		s.N, chained = before.N+1, before.MAC
		s.Restored = before.Restored || before.Cluster != cluster
	}
	for i, e := range entries {
		digest := e.Digest()
		s.Entries[i], s.Digests = e.ID, append(s.Digests, digest[:]...)
	}
	s.MAC = s.mac(key, chained)
	return s
}

func (s AuditSeal) mac(key, before []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(canonical(s.N, s.At.UnixMicro(), s.Cluster, s.Upto, s.Restored, s.Entries, hex.EncodeToString(s.Digests), hex.EncodeToString(s.KeyID), hex.EncodeToString(before)))
	return h.Sum(nil)
}

// Head names the seal and all before it: kept elsewhere, it shows later that none was taken away.
func (s AuditSeal) Head() AuditHead { return AuditHead{N: s.N, MAC: hex.EncodeToString(s.MAC)} }

// AuditHead names a seal.
type AuditHead struct {
	N   int64
	MAC string // hexadecimal
}

// AuditKeyID tells keys apart without giving them away.
func AuditKeyID(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("groundwork audit key "), key...))
	return sum[:8]
}

// canonical writes values so that different values differ.
func canonical(values ...any) []byte {
	text, _ := json.Marshal(values) // numbers, strings and lists of them always can be written
	return text
}

// AuditFilter narrows a list of entries; zero fields do not narrow.
type AuditFilter struct {
	Actor string
	Noun  string
	Key   string // of the first row changed
	At    TimeRange
}

// AuditStore keeps the audit.
type AuditStore interface {
	// AuditEntries lists entries, the newest first: at most limit of those before an id, 0 = from the newest.
	AuditEntries(ctx context.Context, f AuditFilter, before int64, limit int) ([]AuditEntry, error)
	// SealAudit seals one batch of entries whose transactions have ended, and says how many.
	SealAudit(ctx context.Context, now time.Time) (int, error)
	// VerifyAudit compares all entries with their seals. Heads that were noted earlier must still stand.
	VerifyAudit(ctx context.Context, noted ...AuditHead) (AuditReport, error)
}
