from mmdet_lite.cli.contact_sheet import main

if __name__ == "__main__":
    raise SystemExit(main())
