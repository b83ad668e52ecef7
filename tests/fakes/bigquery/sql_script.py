"""Statements and scripts: what a query job runs.

Each statement is whole or nothing. BEGIN TRANSACTION … COMMIT TRANSACTION makes several whole or nothing; a script that ends or fails inside of one
rolls it back. Outside of one, what statements before a failing one did stays done.
"""

from dataclasses import dataclass, field

import sql_ddl
import sql_dml
from errors import bad_query
from sql_expr import Expressions, Scope
from sql_parse_query import Parser

QUERY_BYTES_MAX = 1024 * 1000
_DML = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE")


@dataclass
class Outcome:
    kind: str = ""                       # statementType
    result: object = None                # Translated, of a query
    session: object = None               # of the last statement; its temporary tables live until the result was read
    changed: object = None               # sql_dml.Changed
    used: dict = field(default_factory=dict)       # table: {columns}
    children: int = 0


class Script:
    """`make_session` gives a new Session for each statement; `check` may refuse what a statement would read, by the outcome so far."""

    def __init__(self, text, make_session, check=lambda outcome: None):
        if len(text.encode()) > QUERY_BYTES_MAX:
            raise bad_query("The query is too large. The maximum standard SQL query length is 1024.00K characters, including comments and white space characters.")
        self.parser, self.make_session, self.check = Parser(text), make_session, check
        self.outcome, self.in_transaction, self.saved, self.statements = Outcome(), False, False, 0
        self.skipping = 0  # inside of a branch that is not taken: statements are checked, not run

    def run(self):
        db = self.make_session().catalog.db
        try:
            while self._statement():
                pass
        except Exception:
            self._rollback(db)
            raise
        self._rollback(db)
        if self.statements == 0:
            raise bad_query("Syntax error: Unexpected end of statement", self.parser.at())
        if self.statements > 1:
            self.outcome.kind, self.outcome.children = "SCRIPT", self.statements
        return self.outcome

    def _rollback(self, db):
        if self.saved:
            db.execute("ROLLBACK TO script_transaction")
            db.execute("RELEASE script_transaction")
        self.in_transaction = self.saved = False

    def _statement(self):
        """Runs the next statement; False at the end."""
        parser = self.parser
        while parser.accept(";"):
            pass
        if parser.token.kind == "end":
            return False
        self.statements += 1
        session = self.make_session()
        session.dry_run = session.dry_run or bool(self.skipping)
        self._run_one(parser, session)
        if not (parser.token.kind == "end" or parser.sees(";")):
            raise parser.unexpected("end of input or \";\"")
        return True

    def _run_one(self, parser, session):
        word = parser.token.text
        if word == "SELECT" or word == "(" or word == "WITH":
            self._select(parser, session)
        elif word in _DML:
            self._atomic(session, lambda: self._note_dml(session, parser))
        elif word in ("CREATE", "DROP"):
            if self.in_transaction:
                raise bad_query("DDL statements are not supported in a transaction, except for those creating or droping temporary tables", parser.at())
            self._atomic(session, lambda: self._note(session, sql_ddl.run(session, parser)))
        elif word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self._transaction(parser, session)
        elif word == "IF":
            self._if(parser, session)
        elif word == "RAISE":
            self._raise(parser, session)
        elif word == "ASSERT":
            self._assert(parser, session)
        else:
            raise parser.refuse(f"statement {word}")

    def _select(self, parser, session):
        """The rows of the last query are kept by who runs the script; those of others nobody sees, but their errors count."""
        result = session.query(parser.query())
        self._note(session, "SELECT", result=result)
        if self.in_transaction and not session.dry_run:
            for branch in result.branches:
                session.run(branch).fetchall()

    def _note(self, session, kind, result=None, changed=None):
        outcome = self.outcome
        if self.skipping:
            return
        if outcome.session is not None and outcome.session is not session:
            outcome.session.forget_temporary()
        outcome.kind, outcome.result, outcome.session, outcome.changed = kind, result, session, changed
        for table, columns in session.used.items():
            outcome.used.setdefault(table, set()).update(columns)
        self.check(outcome)

    def _note_dml(self, session, parser):
        changed = sql_dml.run(session, parser)
        self._note(session, changed.kind, changed=changed)

    def _atomic(self, session, work):
        db = session.catalog.db
        db.execute("SAVEPOINT statement")
        try:
            work()
        except Exception:
            db.execute("ROLLBACK TO statement")
            db.execute("RELEASE statement")
            for table in session.references:
                if hasattr(table, "stats_version"):
                    table.stats_version = -1
            raise
        db.execute("RELEASE statement")

    def _transaction(self, parser, session):
        word, at = parser.take().text, parser.at()
        if not parser.accept("TRANSACTION") and not (parser.sees(";") or parser.token.kind == "end"):
            raise parser.refuse("BEGIN … END")
        if (word == "BEGIN") == self.in_transaction:
            raise bad_query("Cannot begin a transaction inside of another" if word == "BEGIN" else "There is no active transaction", at)
        db, dry = session.catalog.db, self.skipping or session.dry_run
        if word == "BEGIN":
            if not dry:
                db.execute("SAVEPOINT script_transaction")
            self.in_transaction, self.saved = True, not dry
        elif word == "COMMIT":
            if self.saved:
                db.execute("RELEASE script_transaction")
            self.in_transaction = self.saved = False
        else:
            self._rollback(db)
        self.outcome.kind = f"{word}_TRANSACTION"

    def _condition(self, parser, session, what):
        x = Expressions(session, Scope([])).boolean(parser.expr(), what)
        for table, columns in session.used.items():
            self.outcome.used.setdefault(table, set()).update(columns)
        return True if session.dry_run else session.run(f"SELECT {x}").fetchone()[0] == 1

    def _block(self, parser, taken):
        self.skipping += not taken
        while not (parser.sees("ELSE") or parser.sees("ELSEIF") or parser.sees("END", "IF")):
            if parser.accept(";"):
                continue
            if parser.token.kind == "end":
                raise parser.unexpected("keyword END")
            session = self.make_session()
            session.dry_run = session.dry_run or bool(self.skipping)
            self._run_one(parser, session)
            parser.expect(";")
        self.skipping -= not taken

    def _if(self, parser, session):
        parser.take()
        holds = self._condition(parser, session, "IF condition")
        self.outcome.kind = "SCRIPT"
        parser.expect("THEN")
        self._block(parser, holds)
        while parser.accept("ELSEIF"):
            again = self._condition(parser, self.make_session(), "ELSEIF condition") and not holds
            parser.expect("THEN")
            self._block(parser, again)
            holds = holds or again
        if parser.accept("ELSE"):
            self._block(parser, not holds)
        parser.expect("END", "IF")
        self.statements += 1  # an IF makes a script of it

    def _message(self, parser, session):
        text = Expressions(session, Scope([])).as_type(parser.expr(), "STRING", "MESSAGE")
        return session.run(f"SELECT {text}").fetchone()[0]

    def _raise(self, parser, session):
        at = parser.at(parser.take())
        message = "Unhandled user exception"
        if parser.accept("USING"):
            parser.expect("MESSAGE", "=")
            message = self._message(parser, session)
        if not session.dry_run:
            raise bad_query(message, at)

    def _assert(self, parser, session):
        at = parser.at(parser.take())
        holds = self._condition(parser, session, "ASSERT expression")
        message = "Assertion failed"
        if parser.accept("AS"):
            message = self._message(parser, session)
        self.outcome.kind = "ASSERT"
        if not holds:
            raise bad_query(message, at)
