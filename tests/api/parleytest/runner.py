"""Runs test modules of a folder: a line per test, then `N passed, N failed, N skipped` with every
skip named. Arguments are parts of test names; --json FILE writes the result for machines."""

import argparse
import concurrent.futures
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest


class Result(unittest.TestResult):
    def __init__(self, verbose):
        super().__init__()
        self.entries, self.verbose = [], verbose

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _line(self, word, test, more=""):
        took = time.monotonic() - getattr(self, "began", time.monotonic())
        parent = getattr(test, "test_case", test)  # a subtest counts for the test it is part of
        self.entries.append({"test": parent.id(), "result": word, "seconds": round(took, 3),
                             "detail": more})
        print(f"{word:<5} {test.id()} ({took:.2f} s){' # ' + more if more else ''}", flush=True)

    def addSuccess(self, test):
        self._line("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("skip", test, reason)

    def _wrong(self, test, error):
        text = self._exc_info_to_string(error, test)
        self._line("FAIL", test, text.strip().splitlines()[-1][:300])
        if self.verbose:
            print("    " + text.replace("\n", "\n    "), flush=True)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._wrong(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._wrong(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._wrong(subtest, error)


def load(folder):
    sys.path.insert(0, str(folder))  # test modules may share helpers
    suite = unittest.TestSuite()
    for path in sorted(pathlib.Path(folder).glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        suite.addTest(unittest.defaultTestLoader.loadTestsFromModule(module))
    return suite


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def class_of(test):
    return test.id().rpartition(".")[0]


def run_apart(folder, name, args):
    """A test, or a class of them, in a process of its own; its entries."""
    with tempfile.TemporaryDirectory(prefix="parley-run-") as place:
        result = pathlib.Path(place) / "result"
        command = [sys.executable, "-c", "import sys; from parleytest import runner; "
                   "sys.exit(runner.main(sys.argv.pop(1)))", str(folder), "--exact", name, "--json",
                   str(result), *args.parts] + (["-v"] if args.verbose else [])
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
        print("\n".join(line for line in done.stdout.splitlines()[:-1]
                        if not line.startswith("skipped: ")), flush=True)
        if result.exists():
            entries = json.loads(result.read_text())["tests"]
            if done.returncode == 0 or any(e["result"] != "ok" for e in entries):
                return entries
        print(f"FAIL  {name} # its process ended with {done.returncode}", flush=True)
        return [{"test": name, "result": "FAIL", "seconds": 0, "detail": done.stdout[-2000:]}]


def run_side_by_side(folder, names, args):
    """So many tests at a time, for those that mostly wait; the entries of all."""
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        return [entry for entries in pool.map(
            lambda name: run_apart(folder, name, args), names) for entry in entries]


def run_here(chosen, args):
    result = Result(args.verbose)
    unittest.TestSuite(chosen).run(result)
    return result.entries


def main(folder):
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help="run only tests whose name contains one of these")
    parser.add_argument("--json", help="write the result here")
    parser.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    parser.add_argument("--exact", help="run only the test, or the class, of this name")
    parser.add_argument("--jobs", type=int, default=1, help="so many tests at a time")
    parser.add_argument("--classes", action="store_true",
                        help="with --jobs: classes instead, whose tests share a server")
    args = parser.parse_args()
    chosen = [t for t in tests_of(load(folder)) if args.exact in (None, t.id(), class_of(t)) and (
        not args.parts or any(part in t.id() for part in args.parts))]
    started = time.monotonic()
    names = dict.fromkeys(class_of(t) if args.classes else t.id() for t in chosen)
    entries = (run_side_by_side(folder, list(names), args) if args.jobs > 1
               else run_here(chosen, args))
    for entry in entries:
        if entry["result"] == "skip":
            print(f"skipped: {entry['test']}: {entry['detail']}")
    failed = len({e["test"] for e in entries if e["result"] == "FAIL"})
    counts = {"passed": sum(e["result"] == "ok" for e in entries), "failed": failed,
              "skipped": sum(e["result"] == "skip" for e in entries),
              "seconds": round(time.monotonic() - started, 1)}
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    if args.json:
        pathlib.Path(args.json).write_text(
            json.dumps({**counts, "tests": entries}, indent=1) + "\n")
    return 1 if failed or not counts["passed"] else 0
