"""Runs test modules of a folder: a line per test, then `N passed, N failed, N skipped` with every
skip named. Arguments are parts of test names; --json FILE writes the result for machines."""

import argparse
import importlib.util
import json
import pathlib
import sys
import time
import unittest


class Result(unittest.TestResult):
    def __init__(self, verbose):
        super().__init__()
        self.passed, self.entries, self.verbose = [], [], verbose

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
        self.passed.append(test)
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


def main(folder):
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help="run only tests whose name contains one of these")
    parser.add_argument("--json", help="write the result here")
    parser.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")
    args = parser.parse_args()
    chosen = unittest.TestSuite(t for t in tests_of(load(folder)) if not args.parts or any(
        part in t.id() for part in args.parts))
    result = Result(args.verbose)
    started = time.monotonic()
    chosen.run(result)
    for entry in result.entries:
        if entry["result"] == "skip":
            print(f"skipped: {entry['test']}: {entry['detail']}")
    failed = len({e["test"] for e in result.entries if e["result"] == "FAIL"})
    counts = {"passed": len(result.passed), "failed": failed, "skipped": len(result.skipped),
              "seconds": round(time.monotonic() - started, 1)}
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    if args.json:
        pathlib.Path(args.json).write_text(
            json.dumps({**counts, "tests": result.entries}, indent=1) + "\n")
    return 1 if failed or not result.passed else 0
