"""What a flow sees and what reaches it: links, views, advice, queries, delivery, and the alarm behind them."""
