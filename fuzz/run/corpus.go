package main

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// An input is a file of a corpus.
type input struct {
	name string // its hash
	data []byte
}

// inputs returns the files of a directory, the shortest first. There are none if it
// does not exist.
func inputs(dir string) (list []input, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, input{e.Name(), b})
	}
	slices.SortStableFunc(list, func(a, b input) int { return cmp.Compare(len(a.data), len(b.data)) })
	return list, nil
}

// corpus returns the inputs of testdata and of the cache.
func (t *target) corpus() (kept, cached []input, err error) {
	if kept, err = inputs(t.testdata()); err != nil {
		return nil, nil, err
	}
	dir, err := t.cached()
	if err != nil {
		return nil, nil, err
	}
	cached, err = inputs(dir)
	return kept, cached, err
}

// writeSeeds writes a zip file for each target.
func writeSeeds(targets []target, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, t := range targets {
		kept, cached, err := t.corpus()
		if err != nil {
			return err
		}
		name := filepath.Join(dir, t.name+"_seed_corpus.zip")
		if err := writeZip(name, append(kept, cached...)); err != nil {
			return err
		}
		fmt.Printf("%s: %d inputs\n", name, len(kept)+len(cached))
	}
	return nil
}

func writeZip(name string, list []input) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	seen := map[string]bool{}
	for _, in := range list {
		if seen[in.name] {
			continue
		}
		seen[in.name] = true
		w, err := z.Create(in.name)
		if err != nil {
			return err
		}
		if _, err := w.Write(in.data); err != nil {
			return err
		}
	}
	return errors.Join(z.Close(), f.Close())
}

// keepInputs copies up to n of the shortest cached inputs of each target to testdata.
func keepInputs(targets []target, n int) error {
	for _, t := range targets {
		_, cached, err := t.corpus()
		if err != nil {
			return err
		}
		for _, in := range cached[:min(n, len(cached))] {
			if err := os.MkdirAll(t.testdata(), 0o777); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(t.testdata(), in.name), in.data, 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}
