"""A sale and a till's queue by code that grpcio-tools generates from proto/.

Usage: generated_stubs.py HOST:PORT. Prints what it does; exits with 1 when an answer is not as expected.
"""

import pathlib
import sys
import tempfile
import uuid

import grpc
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parent.parent.parent / "proto"


def generate(directory):
    """Generates the modules of the contract into a directory that Python then finds."""
    includes = pathlib.Path(protoc.__file__).parent / "_proto"
    files = [str(path) for path in sorted((PROTO / "loyalty/v1").glob("*.proto"))]
    arguments = ["protoc", f"-I{PROTO}", f"-I{includes}", f"--python_out={directory}", f"--grpc_python_out={directory}"]
    if protoc.main(arguments + files) != 0:
        sys.exit("the contract cannot be compiled")
    sys.path.insert(0, directory)


def expect(what, actual, expected):
    print(f"{what}: {actual}")
    if actual != expected:
        sys.exit(f"{what} should be {expected}")


def main(address):
    with tempfile.TemporaryDirectory() as directory:
        generate(directory)
        from loyalty.v1 import decimal_pb2, ledger_service_pb2, ledger_service_pb2_grpc, member_pb2
        from loyalty.v1 import program_pb2, program_service_pb2, program_service_pb2_grpc
        from loyalty.v1 import rule_pb2, rule_service_pb2, rule_service_pb2_grpc, sale_pb2

        def number(text):
            return decimal_pb2.Decimal(value=text)

        run = uuid.uuid4().hex[:8]
        program_id, customer_id = f"generated-{run}", f"ada-{run}"
        customer = member_pb2.MemberKey(customer_id=customer_id)
        with grpc.insecure_channel(address) as channel:
            programs = program_service_pb2_grpc.ProgramServiceStub(channel)
            ledger = ledger_service_pb2_grpc.LedgerServiceStub(channel)
            program = program_pb2.Program(program_id=program_id, name="Generated club", currency_code="EUR")
            programs.CreateProgram(
                program_service_pb2.CreateProgramRequest(request_id=f"program-{run}", program=program), timeout=10
            )
            rate = program_pb2.EarnRate(amount=number("10"), points=number("1"))
            rule = rule_pb2.Rule(program_id=program_id, name="A point per ten", earn_rate=rate)
            rules = rule_service_pb2_grpc.RuleServiceStub(channel)
            rules.CreateRule(rule_service_pb2.CreateRuleRequest(request_id=f"rule-{run}", rule=rule), timeout=10)

            def sale(name, total):
                return ledger_service_pb2.RecordSaleRequest(
                    request_id=f"sale-{name}-{run}",
                    receipt_language="es",
                    sale=sale_pb2.Sale(
                        sale_id=f"{name}-{run}",
                        store_id="store-1",
                        member=customer,
                        currency_code="EUR",
                        total=number(total),
                    ),
                )

            enrolment = program_service_pb2.EnrollMemberRequest(
                request_id=f"enrol-{run}",
                program_id=program_id,
                identifiers=[member_pb2.Identifier(customer_id=customer_id)],
            )
            queue = [
                ledger_service_pb2.SyncSalesRequest(position=1, enroll_member=enrolment),
                ledger_service_pb2.SyncSalesRequest(position=2, record_sale=sale("offline", "170")),
            ]
            answers = list(ledger.SyncSales(iter(queue), timeout=10))
            applied = ledger_service_pb2.SyncStatus.SYNC_STATUS_APPLIED
            expect("queue", [answer.status for answer in answers], [applied, applied])

            receipt = ledger.RecordSale(sale("online", "30"), timeout=10)
            expect("points earned", receipt.outcome.points_earned.value, "3")
            expect("balance", receipt.outcome.balance.available.value, "20")
            expect("receipt", receipt.receipt_text.splitlines()[0].split()[:2], ["Puntos", "ganados"])


if __name__ == "__main__":
    main(sys.argv[1])
