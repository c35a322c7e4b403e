"""Places an order with a client that was generated from the OpenAPI document.

client.py FOLDER URL        FOLDER holds the package tradepost_client
"""

import sys
import uuid

folder, url = sys.argv[1:]
sys.path.insert(0, folder)

from tradepost_client import AuthenticatedClient, Client  # noqa: E402
from tradepost_client.api.accounts import get_own_user, register  # noqa: E402
from tradepost_client.api.cart import add_to_cart, get_cart  # noqa: E402
from tradepost_client.api.catalogue import list_products  # noqa: E402
from tradepost_client.api.orders import get_order, list_orders, place_order  # noqa: E402
from tradepost_client.api.tokens import create_token_pair  # noqa: E402
from tradepost_client.models import (  # noqa: E402
    Cart,
    CartAddition,
    CartLine,
    Credentials,
    InsufficientStockProblem,
    NotAuthenticatedProblem,
    Order,
    OrderPage,
    OrderPlacement,
    OrderSlice,
    OrderStatus,
    ProductPage,
    Registration,
    TokenPair,
    TotalChangedProblem,
    User,
)


def answer(response, status, kind):
    """The parsed body; asserts the status and the type."""
    got = response.status_code, type(response.parsed).__name__
    assert got == (status, kind.__name__), (got, response.content)
    return response.parsed


name, password = f"client-{uuid.uuid4().hex[:8]}", "a lantern in the fog"
stranger = Client(base_url=url)
answer(get_own_user.sync_detailed(client=stranger), 401, NotAuthenticatedProblem)
account = Registration(username=name, email=f"{name}@example.org", password=password)
user = answer(register.sync_detailed(client=stranger, body=account), 201, User)
credentials = Credentials(username=name, password=password)
pair = answer(create_token_pair.sync_detailed(client=stranger, body=credentials), 200, TokenPair)
shop = AuthenticatedClient(base_url=url, token=pair.access)

# Fill a cart with products that are in stock,
listing = list_products.sync_detailed(client=shop, in_stock=True, ordering="-stock", page_size=2)
page = answer(listing, 200, ProductPage)
assert page.count >= 2 and page.results[0].stock >= page.results[1].stock, page
for quantity, product in enumerate(page.results, start=2):
    addition = CartAddition(product_id=product.id, quantity=quantity)
    line = answer(add_to_cart.sync_detailed(client=shop, body=addition), 201, CartLine)
    assert (line.product.id, line.quantity, line.user) == (product.id, quantity, user.id), line
too_much = CartAddition(product_id=page.results[0].id, quantity=9_000)
short = add_to_cart.sync_detailed(client=shop, body=too_much)
refused = answer(short, 409, InsufficientStockProblem)
assert refused.lines[0].requested == 9_002, refused

# place the order exactly once, by retrying with one idempotency key,
cart = answer(get_cart.sync_detailed(client=shop), 200, Cart)
stale = place_order.sync_detailed(client=shop, body=OrderPlacement(expected_total="0.01"))
assert answer(stale, 409, TotalChangedProblem).total_price == cart.total_price
agreed, key = OrderPlacement(expected_total=cart.total_price), str(uuid.uuid4())
first, again = (
    place_order.sync_detailed(client=shop, body=agreed, idempotency_key=key) for _ in range(2)
)
order = answer(first, 201, Order)
assert answer(again, 201, Order) == order and first.content == again.content
assert "Idempotent-Replayed" not in first.headers
assert again.headers["Idempotent-Replayed"] == "true"
assert first.headers["Location"].endswith(f"/api/orders/{order.id}/"), first.headers

# and read it back, by its id and in the list, by page and by cursor.
read = answer(get_order.sync_detailed(order.id, client=shop), 200, Order)
assert read == order and read.status == OrderStatus.PENDING, read
assert [item.quantity for item in read.items] == [2, 3] and read.total_price == cart.total_price
held = get_order.sync_detailed(order.id, client=shop, if_none_match=first.headers["ETag"])
assert held.status_code == 304, held
assert answer(list_orders.sync_detailed(client=shop), 200, OrderPage).results == [order]
assert answer(list_orders.sync_detailed(client=shop, cursor=""), 200, OrderSlice).results == [order]
assert answer(get_cart.sync_detailed(client=shop), 200, Cart).count == 0
print(f"A generated client placed order {order.id} over {order.total_price} {order.currency}.")
