// Differential plays the same octets to this repository's package conn and to other
// implementations of RFC 6455, and compares what they make of them: the response to
// the opening handshake, the messages delivered, the pongs and the Close frame sent.
// Usage:
//
//	go run . [-scripts n] [-seed n] [-time d] [-readme file]
//	go run . -script 'server stream=8185…'
//
// Whatever another implementation does otherwise has to be a habit that is written
// down, with the section that decides who is right: see README.md. Anything else is
// printed as a script that can be played again, and ends the program with status 1.
//
// It is run in its own folder. With RFC6455_PEERS=off in the environment the
// implementations in other processes are left out, with RFC6455_PEERS=required they
// must be installed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"example.org/rfc6455/fuzz/differential/peers"
	"example.org/rfc6455/fuzz/differential/script"
)

var (
	scripts = flag.Uint64("scripts", 0, "how many scripts to play; 0 is until the time is over")
	seed    = flag.Uint64("seed", 1, "what the scripts are made of")
	limit   = flag.Duration("time", 10*time.Minute, "how long to play")
	share   = flag.Uint64("share", 8, "play every n-th script to the implementations in other processes, too")
	only    = flag.String("script", "", "play this one script, and print what comes of it")
	readme  = flag.String("readme", "", "the file to write the tables to")
)

func main() {
	flag.Parse()
	os.Exit(play())
}

func play() int {
	all, missing, err := peers.All(os.Getenv("RFC6455_PEERS"), "../..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, err := range missing {
		fmt.Println("skipped:", err)
	}
	if *only != "" {
		return playOne(all, *only)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	r := newRun(all, *seed, *scripts, *share)
	r.play(ctx)
	r.report(os.Stdout)
	if *readme != "" {
		if err := r.writeREADME(*readme); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if r.failed() {
		return 1
	}
	return 0
}

// playOne prints what every implementation makes of a script.
func playOne(all []*peers.Peer, line string) int {
	s, err := script.Parse(line)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	status := 0
	var ours *script.Outcome
	for _, p := range all {
		if !p.Plays(s) {
			continue
		}
		o, err := p.Play(s)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if p == peers.Ours {
			ours = o
		}
		v := judge(p, s, o, ours)
		fmt.Printf("%-11s %v\n", p.Name, o)
		for _, c := range v.classes {
			fmt.Printf("%-11s %s\n", "", c)
		}
		if !v.explained {
			fmt.Printf("%-11s not explained; want %v\n", "", v.want)
			status = 1
		}
	}
	return status
}
