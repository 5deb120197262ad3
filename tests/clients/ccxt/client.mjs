// A client that knows nothing of Antbot: ccxt as it comes from npm, given other addresses and nothing else.
// usage: node client.mjs ADDRESS, then on standard input one line of JSON: {"apiKey":…,"secret":…}.
// It first says the public half of a key of its own, so that whoever started it may have it signed up; without a secret it signs with that key.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createInterface } from 'node:readline';
import ccxt from 'ccxt';
import WebSocket from 'ws';

const [address] = process.argv.slice(2);
const own = generateKeyPairSync('ed25519', { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
console.log(JSON.stringify({ publicKey: own.publicKey }));
const line = await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve));
const given = JSON.parse(line);

const venue = new ccxt.pro.binance({ apiKey: given.apiKey, secret: given.secret ?? own.privateKey });
venue.urls.api = elsewhere(venue.urls.api);
// What ccxt asks for where WebSockets are not encrypted.
await venue.loadHttpProxyAgent();

const symbol = 'BTC/USDT';
const within = (milliseconds, promise) => Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`nothing came within ${milliseconds} ms`)), milliseconds).unref())]);
const done = [];
async function check(name, act) {
  try {
    await within(20_000, act());
    done.push(name);
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exit(1);
  }
}

await check('markets', async () => {
  const markets = await venue.loadMarkets();
  const market = markets[symbol];
  assert.equal(market.active, true);
  assert.equal(market.precision.price, 0.01);
  assert.equal(market.precision.amount, 0.00001);
  assert.equal(market.limits.cost.min, 5);
  assert.deepEqual(Object.keys(markets).sort(), ['BNB/USDT', 'BTC/USDT', 'DOGE/USDT', 'ETH/USDT', 'SOL/USDT', 'XRP/USDT']);
});
await check('clock and status', async () => {
  assert.ok(Math.abs((await venue.fetchTime()) - Date.now()) < 10_000);
  assert.equal((await venue.fetchStatus()).status, 'ok');
});
await check('order book', async () => {
  const book = await venue.fetchOrderBook(symbol, 5);
  assert.equal(book.bids.length, 5);
  assert.ok(book.bids[0][0] < book.asks[0][0]);
});
await check('tickers', async () => {
  const ticker = await venue.fetchTicker(symbol);
  assert.ok(ticker.low <= ticker.high && ticker.bid < ticker.ask);
  assert.equal(Object.keys(await venue.fetchTickers()).length, 6);
  assert.equal(Object.keys(await venue.fetchBidsAsks()).length, 6);
  assert.equal(Object.keys(await venue.fetchLastPrices()).length, 6);
});
await check('candles', async () => {
  const candles = await venue.fetchOHLCV(symbol, '1m', undefined, 10);
  assert.equal(candles.length, 10);
  assert.equal(candles[9][0] - candles[0][0], 9 * 60_000);
  const weeks = await venue.fetchOHLCV(symbol, '1w', undefined, 3);
  assert.deepEqual(weeks.map((week) => new Date(week[0]).getUTCDay()), [1, 1, 1]);
  assert.equal(new Date((await venue.fetchOHLCV(symbol, '1M', undefined, 1))[0][0]).getUTCDate(), 1);
});
await check('trades', async () => assert.equal((await venue.fetchTrades(symbol, undefined, 3)).length, 3));
await check('fees', async () => {
  assert.equal((await venue.fetchTradingFees())[symbol].taker, 0.001);
  assert.equal((await venue.fetchTradingFee(symbol)).maker, 0.001);
});
await check('balances', async () => assert.ok((await venue.fetchBalance()).USDT.free > 50_000));

const last = (await venue.fetchTicker(symbol)).last;
const at = (part) => venue.priceToPrecision(symbol, last * part);

await check('market orders', async () => {
  const bought = await venue.createOrder(symbol, 'market', 'buy', 0.02);
  assert.deepEqual([bought.status, bought.filled], ['closed', 0.02]);
  assert.ok(bought.trades.length > 0 && bought.fee.currency === 'BTC');
  const spent = await venue.createMarketBuyOrderWithCost(symbol, 200);
  assert.ok(spent.cost > 195 && spent.cost <= 200);
  assert.equal((await venue.createOrder(symbol, 'market', 'sell', 0.005)).status, 'closed');
});
await check('limit orders', async () => {
  const placed = await venue.createOrder(symbol, 'limit', 'buy', 0.01, at(0.5), { clientOrderId: 'resting' });
  assert.deepEqual([placed.status, placed.clientOrderId], ['open', 'resting']);
  assert.equal((await venue.fetchOrder(placed.id, symbol)).price, Number(at(0.5)));
  assert.equal((await venue.fetchOrder(undefined, symbol, { clientOrderId: 'resting' })).id, placed.id);
  await assert.rejects(venue.createOrder(symbol, 'limit', 'buy', 0.01, at(0.5), { clientOrderId: 'resting' }), ccxt.BaseError);
  assert.deepEqual((await venue.fetchOpenOrders(symbol)).map((o) => o.id), [placed.id]);
  const edited = await venue.editOrder(placed.id, symbol, 'limit', 'buy', 0.02, at(0.51));
  assert.equal((await venue.fetchOrder(placed.id, symbol)).status, 'canceled');
  assert.equal((await venue.cancelOrder(edited.id, symbol)).status, 'canceled');
  await assert.rejects(venue.cancelOrder(edited.id, symbol), ccxt.OrderNotFound);
});
await check('post-only, immediate or cancel, fill or kill', async () => {
  assert.equal((await venue.createOrder(symbol, 'limit', 'buy', 0.01, at(0.5), { postOnly: true })).type, 'limit');
  await assert.rejects(venue.createOrder(symbol, 'limit', 'buy', 0.01, at(1.1), { postOnly: true }), ccxt.InvalidOrder);
  assert.equal((await venue.createOrder(symbol, 'limit', 'buy', 0.01, at(1.05), { timeInForce: 'IOC' })).status, 'closed');
  assert.equal((await venue.createOrder(symbol, 'limit', 'buy', 0.01, at(0.7), { timeInForce: 'FOK' })).status, 'expired');
});
await check('reduce-only', async () => {
  const { free } = (await venue.fetchBalance()).BTC;
  const cut = await venue.createOrder(symbol, 'limit', 'sell', free + 1, at(1.5), { reduceOnly: true });
  assert.equal(cut.amount, Number(venue.amountToPrecision(symbol, free)));
  await assert.rejects(venue.createOrder(symbol, 'market', 'sell', 0.001, undefined, { reduceOnly: true }), ccxt.BaseError);
  await venue.cancelOrder(cut.id, symbol);
  await assert.rejects(venue.createOrder(symbol, 'market', 'buy', 0.001, undefined, { reduceOnly: true }), ccxt.BaseError);
});
await check('stops and take-profits', async () => {
  const waiting = [
    await venue.createOrder(symbol, 'market', 'sell', 0.001, undefined, { stopLossPrice: at(0.8) }),
    await venue.createOrder(symbol, 'limit', 'sell', 0.001, at(0.79), { stopLossPrice: at(0.8) }),
    await venue.createOrder(symbol, 'market', 'sell', 0.001, undefined, { takeProfitPrice: at(1.3) }),
    await venue.createOrder(symbol, 'limit', 'sell', 0.001, at(1.31), { takeProfitPrice: at(1.3) }),
  ];
  const types = (await venue.fetchOpenOrders(symbol)).filter((o) => waiting.some((w) => w.id === o.id)).map((o) => o.info.type);
  assert.deepEqual(types, ['STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT']);
  await venue.cancelAllOrders(symbol);
  assert.deepEqual(await venue.fetchOpenOrders(symbol), []);
});
await check('stops that follow the price, orders shown in parts', async () => {
  const trails = await venue.createOrder(symbol, 'market', 'sell', 0.001, undefined, { trailingPercent: 5, stopLossOrTakeProfit: 'stopLoss' });
  const found = (await venue.fetchOrder(trails.id, symbol)).info;
  assert.deepEqual([found.type, found.trailingDelta], ['STOP_LOSS', 500]);
  const part = await venue.createOrder(symbol, 'limit', 'buy', 0.01, at(0.5), { icebergAmount: 0.002 });
  assert.equal((await venue.fetchOrder(part.id, symbol)).info.icebergQty, '0.00200000');
  await venue.cancelAllOrders(symbol);
});
await check('pairs of orders', async () => {
  const pair = await venue.privatePostOrderListOco({
    symbol: 'BTCUSDT', side: 'SELL', quantity: '0.001', aboveType: 'LIMIT_MAKER', abovePrice: at(1.3), belowType: 'STOP_LOSS_LIMIT', belowStopPrice: at(0.8), belowPrice: at(0.79), belowTimeInForce: 'GTC',
  });
  assert.deepEqual([pair.listOrderStatus, pair.orderReports.map((o) => o.type)], ['EXECUTING', ['STOP_LOSS_LIMIT', 'LIMIT_MAKER']]);
  assert.deepEqual((await venue.privateGetOpenOrderList()).map((l) => l.orderListId), [pair.orderListId]);
  assert.equal((await venue.privateDeleteOrderList({ symbol: 'BTCUSDT', orderListId: pair.orderListId })).listOrderStatus, 'ALL_DONE');
  const older = await venue.privatePostOrderOco({ symbol: 'BTCUSDT', side: 'SELL', quantity: '0.001', price: at(1.3), stopPrice: at(0.8) });
  await venue.cancelOrder(older.orders[0].orderId, symbol);
  assert.equal((await venue.privateGetOrderList({ orderListId: older.orderListId })).listStatusType, 'ALL_DONE');
  assert.deepEqual(await venue.fetchOpenOrders(symbol), []);
});
await check('history', async () => {
  assert.ok((await venue.fetchMyTrades(symbol)).length >= 4);
  assert.ok((await venue.fetchOrders(symbol)).length >= 10);
  assert.ok((await venue.fetchClosedOrders(symbol)).every((o) => o.status === 'closed'));
  assert.ok((await venue.fetchCanceledOrders(symbol)).length >= 5);
});
await check('refusals are understood', async () => {
  await assert.rejects(venue.createOrder(symbol, 'limit', 'buy', 100, at(0.9)), ccxt.InsufficientFunds);
  await assert.rejects(venue.fetchOrder('999999', symbol), ccxt.OrderNotFound);
  const stranger = new ccxt.binance({ apiKey: 'x'.repeat(64), secret: 'y'.repeat(64) });
  stranger.urls.api = venue.urls.api;
  await assert.rejects(stranger.fetchOpenOrders(symbol), ccxt.AuthenticationError);
});
await check('market streams', async () => {
  assert.ok((await venue.watchTicker(symbol)).last > 0);
  assert.ok((await venue.watchBidsAsks([symbol]))[symbol].bid > 0);
  assert.ok((await venue.watchTrades(symbol)).length > 0);
  assert.ok((await venue.watchOHLCV(symbol, '1m')).length > 0);
  for (let i = 0; i < 6; i++) {
    const book = await venue.watchOrderBook(symbol);
    assert.ok(book.bids[0][0] < book.asks[0][0]);
  }
});
await check('user stream', async () => {
  // Whoever asks before the subscription stands would wait for the next change.
  const [orders, trades, balance] = [venue.watchOrders(symbol), venue.watchMyTrades(symbol), venue.watchBalance()];
  await venue.authenticate();
  const bought = await venue.createOrder(symbol, 'market', 'buy', 0.003);
  assert.ok((await orders).some((o) => o.id === bought.id));
  assert.ok((await trades).some((t) => t.order === bought.id));
  assert.ok((await balance).BTC.total > 0);
});
await check('orders by WebSocket', async () => {
  const placed = await venue.createOrderWs(symbol, 'limit', 'buy', 0.01, at(0.5));
  assert.equal((await venue.fetchOrderWs(placed.id, symbol)).status, 'open');
  assert.deepEqual((await venue.fetchOpenOrdersWs(symbol)).map((o) => o.id), [placed.id]);
  assert.equal((await venue.cancelOrderWs(placed.id, symbol)).status, 'canceled');
  assert.ok((await venue.fetchMyTradesWs(symbol)).length > 0);
});

if (!given.secret) {
  // ccxt signs every request; who has logged on need not.
  await check('session', async () => {
    const socket = new WebSocket(`${address.replace(/^http/, 'ws').replace(/\/$/, '')}/ws-api/v3`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const ask = (method, params) => new Promise((resolve) => {
      socket.once('message', (message) => resolve(JSON.parse(message)));
      socket.send(JSON.stringify({ id: method, method, params }));
    });
    const timestamp = await venue.fetchTime();
    const signature = sign(null, Buffer.from(`apiKey=${given.apiKey}&timestamp=${timestamp}`), own.privateKey).toString('base64');
    assert.equal((await ask('account.status', { timestamp })).status, 401);
    assert.equal((await ask('session.logon', { apiKey: given.apiKey, timestamp: timestamp + 1, signature })).error.code, -1022);
    assert.equal((await ask('session.logon', { apiKey: given.apiKey, timestamp, signature })).result.apiKey, given.apiKey);
    assert.equal((await ask('account.status', { timestamp: await venue.fetchTime() })).result.canTrade, true);
    assert.equal((await ask('account.status', { timestamp: 1 })).error.code, -1021);
    assert.equal((await ask('userDataStream.subscribe', {})).result.subscriptionId, 0);
    assert.equal((await ask('session.logout', {})).result.apiKey, null);
    assert.equal((await ask('account.status', { timestamp })).status, 401);
    socket.close();
  });
}

await venue.close();
console.log(JSON.stringify({ done }));
process.exit(0);

function elsewhere(url) {
  if (typeof url !== 'string')
    return Object.fromEntries(Object.entries(url).map(([name, value]) => [name, elsewhere(value)]));
  const host = address.replace(/^\w+:\/\//, '').replace(/\/$/, '');
  return url.replace(/^(http|ws)s?:\/\/[^/]+/, `$1://${host}`);
}
