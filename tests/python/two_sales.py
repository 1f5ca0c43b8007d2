"""Two sales at the till by an independent client: no generated code, no proto files, reflection (v1alpha) alone.

Usage: two_sales.py HOST:PORT. Prints what it does; exits with 1 when an answer is not as expected.
"""

import sys
import uuid

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Service:
    """Calls the methods of one service with messages written as JSON."""

    def __init__(self, channel, pool, name):
        self.channel = channel
        self.name = name
        self.methods = pool.FindServiceByName(name).methods_by_name

    def call(self, method, request):
        method = self.methods[method]
        request_class = message_factory.GetMessageClass(method.input_type)
        answer_class = message_factory.GetMessageClass(method.output_type)
        call = self.channel.unary_unary(
            f"/{self.name}/{method.name}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=answer_class.FromString,
        )
        answer = call(json_format.ParseDict(request, request_class()), timeout=10)
        return json_format.MessageToDict(answer)


def expect(what, actual, expected):
    print(f"{what}: {actual}")
    if actual != expected:
        sys.exit(f"{what} should be {expected}")


def main(address):
    channel = grpc.insecure_channel(address)
    database = ProtoReflectionDescriptorDatabase(channel)
    services = sorted(database.get_services())
    print("services:", ", ".join(services))
    pool = descriptor_pool.DescriptorPool(database)
    programs = Service(channel, pool, "loyalty.v1.ProgramService")
    ledger = Service(channel, pool, "loyalty.v1.LedgerService")

    run = uuid.uuid4().hex[:12]
    rate = {"amount": {"value": "300"}, "points": {"value": "1"}}
    program = {
        "programId": f"python-{run}",
        "name": "Python's club",
        "currencyCode": "EUR",
        "tiers": [
            {"tierId": "silver", "name": "Silver", "minimumSpend": {"value": "2000"}, "earnRate": rate},
            {"tierId": "gold", "name": "Gold", "minimumSpend": {"value": "6000"}, "earnRate": rate},
        ],
        "redemption": {"valuePerPoint": {"value": "10"}},
    }
    programs.call("CreateProgram", {"requestId": f"program-{run}", "program": program})
    customer = {"customerId": f"customer-{run}"}
    enrolment = {"requestId": f"enrol-{run}", "programId": program["programId"], "identifiers": [customer]}
    programs.call("EnrollMember", enrolment)

    def sale(number, **more):
        return {
            "requestId": f"sale-{number}-{run}",
            "sale": {
                "saleId": f"{number}-{run}",
                "storeId": "store-1",
                "member": customer,
                "currencyCode": "EUR",
                "total": {"value": "3000"},
                **more,
            },
        }

    first = ledger.call("RecordSale", sale(1))["outcome"]
    expect("first sale: points earned", first["pointsEarned"]["value"], "10")
    expect("first sale: tier", first["balance"]["tierId"], "silver")

    second = ledger.call("RecordSale", sale(2, redemptions=[{"points": {"value": "10"}}]))["outcome"]
    expect("second sale: points paid", second["pointsTenders"][0]["amount"]["amount"]["value"], "100.00")
    expect("second sale: points earned", second["pointsEarned"]["value"], "9")
    expect("second sale: tier", second["balance"]["tierId"], "gold")
    expect("second sale: balance", second["balance"]["available"]["value"], "9")

    try:
        ledger.call("RecordSale", sale(3, redemptions=[{"points": {"value": "11"}}]))
    except grpc.RpcError as error:
        expect("third sale, 11 points of 9: code", error.code(), grpc.StatusCode.FAILED_PRECONDITION)
    else:
        sys.exit("11 points of 9 should be refused")


if __name__ == "__main__":
    main(sys.argv[1])
