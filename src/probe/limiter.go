package probe

import (
	"time"

	"github.com/ebpfless/ebpfless/src/secl"
)

// maxBuckets bounds what one rule's limiter_token can make: the original keeps as many.
const maxBuckets = 500

// limiter holds rules back that hit too often: a burst and then a rate, or one detection per Every. What a flood of one
// process has used up is not what another process needs: one that a rule has not told of lately has a second, equal
// allowance, from which each process takes one detection a rest.
type limiter struct {
	burst, rate float64
	rules       map[string]*limits
}

// limits are those of one rule.
type limits struct {
	tokens    map[string]*bucket
	newcomers bucket
	told      map[key]time.Time // when a process had its last detection
	held      uint64            // detections held back since the last one that was let through
	heldEver  uint64
}

type bucket struct {
	tokens float64
	last   time.Time
}

// rest is how long a process that was told of waits before it counts as a newcomer again.
const rest = 10 * time.Second

func newLimiter(burst, rate int) *limiter {
	return &limiter{burst: float64(burst), rate: float64(rate), rules: map[string]*limits{}}
}

func (b *bucket) take(burst, rate float64, now time.Time) bool {
	b.tokens = min(burst, b.tokens+now.Sub(b.last).Seconds()*rate)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// allow takes one token of the rule, or of what its limiter_token stands for, and counts what it holds back.
func (l *limiter) allow(rule *secl.RuleDef, token string, process key, now time.Time) bool {
	r := l.rules[rule.ID]
	if r == nil {
		r = &limits{tokens: map[string]*bucket{}, told: map[key]time.Time{}, newcomers: bucket{tokens: l.burst, last: now}}
		l.rules[rule.ID] = r
	}
	burst, rate := l.burst, l.rate
	if rule.Every > 0 {
		burst, rate = 1, float64(time.Second)/float64(rule.Every)
	}
	if !r.bucket(token, burst, now).take(burst, rate, now) && (rule.Every > 0 || !r.newcomer(process, l, now)) {
		r.held++
		r.heldEver++
		return false
	}
	if len(r.told) >= maxBuckets {
		clear(r.told)
	}
	r.told[process] = now
	return true
}

func (r *limits) bucket(token string, burst float64, now time.Time) *bucket {
	b := r.tokens[token]
	if b == nil {
		if len(r.tokens) >= maxBuckets {
			clear(r.tokens) // the oldest would do, and needs a list; forgetting lets too much through, never too little
		}
		b = &bucket{tokens: burst, last: now}
		r.tokens[token] = b
	}
	return b
}

// newcomer lets a process through that had nothing lately. Processes without number are no way around the limit: all of
// them share one allowance.
func (r *limits) newcomer(process key, l *limiter, now time.Time) bool {
	if told, known := r.told[process]; known && now.Sub(told) < rest {
		return false
	}
	return r.newcomers.take(l.burst, l.rate, now)
}

// heldBack gives what was held back of a rule since it was asked last.
func (l *limiter) heldBack(rule string) uint64 {
	r := l.rules[rule]
	if r == nil {
		return 0
	}
	n := r.held
	r.held = 0
	return n
}
