"""What pages share: their frame, the session's state, caches, charts and pictures. The only
Streamlit code besides pages.
"""
