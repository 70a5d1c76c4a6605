"""What a flow sees and receives: links, views, advice, queries, delivery; and what leads there: publish, the alarm."""
